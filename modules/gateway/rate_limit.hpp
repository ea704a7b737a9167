#pragma once
// GCRA, the leaky bucket as a meter (ITU-T I.371; draft-ietf-httpapi-ratelimit-headers for what is announced): one moment for each
// (policy, who). Bounded: what is over is swept, and where that frees nothing, somebody's count is forgotten. Safe from every shard.
#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include "loggia/kernel/http.hpp"

namespace loggia::gateway {

/// `quota` at once, refilled evenly over `window`.
struct Policy {
  std::string_view name;
  int quota;
  std::chrono::seconds window;
};

struct Verdict {
  bool allowed = true;
  int remaining = 0;
  int reset = 0;        // seconds until the whole quota is there again
  int retry_after = 0;  // seconds until the next one goes; only where not allowed
  const Policy* policy = nullptr;
};

class RateLimiter {
 public:
  static constexpr std::size_t entries_max = 64u << 10;
  explicit RateLimiter(std::size_t entries = entries_max) : stripe_max_{std::max<std::size_t>(entries / stripes, 1)} {}
  /// Counts one. `policy` outlives the verdict: it is a constant.
  Verdict take(const Policy& policy, std::string_view who, Moment now);
  std::size_t size() const;

 private:
  static constexpr std::size_t stripes = 16;
  struct Stripe {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Moment> full_at;  // when the quota of the entry is whole again
  };
  void make_room(Stripe& stripe, Moment now) const;
  const std::size_t stripe_max_;
  std::array<Stripe, stripes> all_;
};

/// `RateLimit` and `RateLimit-Policy`, and `Retry-After` where it was refused.
void announce(Parameters& headers, const Verdict& verdict);
Error refused(const Verdict& verdict);

}  // namespace loggia::gateway
