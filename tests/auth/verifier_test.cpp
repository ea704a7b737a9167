#include "elsewhere.hpp"
#include "loggia/auth/events.hpp"
#include "support/shared_store.hpp"
#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using namespace loggia::auth::testing;

namespace {
struct Heard {
  std::vector<std::pair<UserId, SessionId>> all;
  Verifier::Watch watch;
  explicit Heard(Verifier& verifier) {
    watch = verifier.on_revoked([this](UserId user, SessionId session) { all.emplace_back(user, session); });
  }
};
}  // namespace

TEST_CASE("whoever watches hears of each session that ends, once, until the handle is dropped") {
  World world;
  Heard heard(*world.parts->verifier);
  const auto first = world.register_as("ada").value(), second = world.login("ada").value();
  const auto session = SessionId(world.with(first).caller().session);
  REQUIRE(world.wait(world.accounts.on(world.with(first), Logout())));
  REQUIRE(heard.all.size() == 1);
  CHECK(heard.all[0] == std::pair(first.user.id, session));
  heard.watch.reset();
  REQUIRE(world.wait(world.accounts.on(world.with(second), Logout())));
  CHECK(heard.all.size() == 1);
}

TEST_CASE("of a disabled account the watchers hear once, for all of its sessions") {
  World world;
  const auto first = world.register_as("ada").value(), second = world.login("ada").value();
  Heard heard(*world.parts->verifier);
  REQUIRE(world.shell("user.disable", {"ada"}));
  REQUIRE(heard.all.size() == 1);
  CHECK(heard.all[0] == std::pair(first.user.id, SessionId()));
  CHECK_FALSE(world.live(first));
  CHECK_FALSE(world.live(second));
  CHECK(code_of(world.refresh(*second.refresh_token)) == Errc::unauthenticated);
  CHECK(world.events("session.revoked").size() == 2);
  CHECK(world.events("user.disabled").size() == 1);
}

TEST_CASE("a token that is known is still over when its time is, and another text is not known for looking like it") {
  World world;
  const auto tokens = world.register_as("ada").value();
  CHECK(world.live(tokens));
  CHECK(world.live(tokens));
  auto other = tokens;
  other.access_token.back() = other.access_token.back() == 'A' ? 'B' : 'A';
  CHECK_FALSE(world.live(other));
  world.kernel.clock->advance(world.parts->settings.token_lifetime + milliseconds(1000));
  CHECK_FALSE(world.live(tokens));
}

TEST_CASE("known tokens are bounded, the newest are kept, and expired ones are forgotten") {
  KnownTokens known(4);
  const auto claims = [](int number) {
    Claims out;
    out.token_id = std::to_string(number);
    out.expires = Time(milliseconds(1000 + number));
    return out;
  };
  for (int number = 0; number < 100; ++number) {
    known.add("token " + std::to_string(number), claims(number));
    CHECK(known.find("token 0"));  // asked for again and again
  }
  CHECK(known.size() <= 8);
  CHECK(known.find("token 99")->token_id == "99");
  CHECK_FALSE(known.find("token 50"));
  known.forget(Time(milliseconds(1098)));
  CHECK(known.size() == 1);
  CHECK(known.find("token 99"));
}

TEST_CASE("old tokens stay dead when a disabled account is enabled again") {
  World world;
  const auto tokens = world.register_as("ada").value();
  REQUIRE(world.shell("user.disable", {"ada"}));
  REQUIRE(world.shell("user.enable", {"ada"}));
  CHECK_FALSE(world.live(tokens));
  CHECK(world.live(world.login("ada").value()));
  CHECK(world.events("user.enabled").size() == 1);
}

TEST_CASE("a restart forgets no revocation") {
  World world;
  const auto ended = world.register_as("ada").value(), live = world.login("ada").value(), bob = world.register_as("bob").value();
  REQUIRE(world.wait(world.accounts.on(world.with(ended), Logout())));
  REQUIRE(world.shell("user.disable", {"bob"}));
  world.start();
  CHECK_FALSE(world.live(ended));
  CHECK(world.live(live));
  CHECK_FALSE(world.live(bob));
}

TEST_CASE("a revocation is kept for as long as a token of it may live, and no longer") {
  World world;
  const auto tokens = world.register_as("ada").value();
  REQUIRE(world.wait(world.accounts.on(world.with(tokens), Logout())));
  const auto kept = [&] {
    const auto count = [](Query& query) -> Result<std::int64_t> {
      auto rows = query.select("SELECT count(*) FROM revocations");
      rows->next();
      return rows->integer(0);
    };
    return world.parts->database->read_now(count).value();
  };
  world.kernel.clock->advance(std::chrono::minutes(10));
  REQUIRE(world.wait(Parts::maintain(world.parts, Context())));
  CHECK(kept() == 1);
  world.kernel.clock->advance(std::chrono::minutes(2));
  REQUIRE(world.wait(Parts::maintain(world.parts, Context())));
  CHECK(kept() == 0);
  CHECK_FALSE(world.live(tokens));
}

TEST_CASE("a session that was ended at another process stays so for as long as a token of it may live, by the clock of whoever signed it") {
  World world;
  world.parts->database = std::make_shared<test::SharedStore>(world.parts->database);
  hear_other_processes(*world.kernel.bus, world.parts);
  world.kernel.clock->jump(clock_skew);  // signed where the clock is ahead
  const auto tokens = world.register_as("ada").value();
  world.kernel.clock->jump(-clock_skew);
  CHECK(world.live(tokens));
  SessionRevoked ended;
  ended.user_id = tokens.user.id;
  ended.session = SessionId(world.with(tokens).caller().session);
  const auto hear = [&] {
    world.kernel.bus->deliver(
        test::FakeBus::event(std::string(SessionRevoked::topic), std::string(SessionRevoked::type), ended.user_id.text(), encode(ended)));
  };
  hear();
  for (const milliseconds pause : {milliseconds(0), world.parts->settings.token_lifetime, milliseconds(clock_skew) - milliseconds(1)}) {
    world.kernel.clock->advance(pause);
    world.parts->verifier->forget(world.kernel.clock->now());
    CHECK_FALSE(world.live(tokens));
  }
}

TEST_CASE("a revocation that is heard again, by a clock that is behind, ends no sooner") {
  World world;
  const auto tokens = world.register_as("ada").value();
  const auto session = SessionId(world.with(tokens).caller().session);
  const auto now = world.kernel.clock->now();
  world.parts->verifier->revoked(tokens.user.id, session, now + std::chrono::minutes(10), false);
  world.parts->verifier->revoked(tokens.user.id, session, now + std::chrono::minutes(9), false);
  world.kernel.clock->advance(std::chrono::minutes(9));
  world.parts->verifier->forget(world.kernel.clock->now());
  CHECK_FALSE(world.live(tokens));
}

TEST_CASE("a refused change tells nobody") {
  World world;
  const auto tokens = world.register_as("ada").value();
  REQUIRE(world.shell("user.role", {"ada", "admin"}));
  const auto before = world.login("ada").value();
  Heard heard(*world.parts->verifier);
  UpdateAccount request;
  request.id = tokens.user.id;
  request.disabled = true;
  CHECK(code_of(world.wait(world.administration.on(world.with(before), request))) == Errc::conflict);
  CHECK(heard.all.empty());
  CHECK(world.live(before));
  CHECK(world.events("user.disabled").empty());
}
