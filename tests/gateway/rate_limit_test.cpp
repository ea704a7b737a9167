#include <doctest/doctest.h>
#include "limits.hpp"

using namespace loggia;
using namespace loggia::gateway;
using std::chrono::seconds;

namespace {
constexpr Policy ten{"ten", 10, seconds(60)};
const Moment begin{std::chrono::hours(5)};
}  // namespace

TEST_CASE("a quota may be used at once, and no more") {
  RateLimiter limiter;
  for (int left = 9; left >= 0; --left) {
    const auto verdict = limiter.take(ten, "a", begin);
    CHECK(verdict.allowed);
    CHECK(verdict.remaining == left);
  }
  const auto refusal = limiter.take(ten, "a", begin);
  CHECK_FALSE(refusal.allowed);
  CHECK(refusal.retry_after == 6);
  CHECK(refusal.remaining == 0);
  CHECK(refusal.reset == 60);
}

TEST_CASE("it comes back evenly over the window") {
  RateLimiter limiter;
  for (int i = 0; i < 10; ++i) limiter.take(ten, "a", begin);
  CHECK_FALSE(limiter.take(ten, "a", begin + seconds(5)).allowed);
  CHECK(limiter.take(ten, "a", begin + seconds(6)).allowed);
  CHECK_FALSE(limiter.take(ten, "a", begin + seconds(6)).allowed);
  CHECK(limiter.take(ten, "a", begin + seconds(200)).remaining == 9);
}

TEST_CASE("refused requests do not lengthen the wait") {
  RateLimiter limiter;
  for (int i = 0; i < 50; ++i) limiter.take(ten, "a", begin);
  CHECK(limiter.take(ten, "a", begin + seconds(6)).allowed);
}

TEST_CASE("each counts for themselves, and each policy for itself") {
  constexpr Policy other{"other", 1, seconds(1)};
  RateLimiter limiter;
  for (int i = 0; i < 11; ++i) limiter.take(ten, "a", begin);
  CHECK(limiter.take(ten, "b", begin).allowed);
  CHECK(limiter.take(other, "a", begin).allowed);
}

TEST_CASE("the table is bounded, however many ask") {
  RateLimiter limiter(64);
  for (int i = 0; i < 5000; ++i) CHECK(limiter.take(ten, std::to_string(i), begin).allowed);
  CHECK(limiter.size() <= 64);
}

TEST_CASE("a limit is announced with quota, rest and window") {
  RateLimiter limiter;
  Parameters headers;
  announce(headers, limiter.take(ten, "a", begin));
  CHECK(headers == Parameters{{"RateLimit-Policy", "\"ten\";q=10;w=60"}, {"RateLimit", "\"ten\";r=9;t=6"}});
  Parameters none;
  announce(none, Verdict());
  CHECK(none.empty());
}

TEST_CASE("routes that take guesses are held tighter than reading and writing") {
  CHECK(&policy_of("POST /auth/login") == &sign_in_policy);
  CHECK(&policy_of("POST /auth/register") == &register_policy);
  CHECK(&policy_of("POST /auth/validate") == &validate_policy);
  CHECK(&policy_of("GET /rooms") == &read_policy);
  CHECK(&policy_of("POST /rooms") == &write_policy);
}
