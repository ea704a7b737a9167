// The verifier of a process without auth: told once what there is, and then by auth's log.
#include "verifier_elsewhere.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/kernel/json.hpp"
#include "trust.hpp"
#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using namespace loggia::auth::testing;

namespace {

/// auth's process, and another one.
struct Two {
  World auth;
  loggia::test::FakeKernel other;
  std::unique_ptr<Module> stand_in;
  std::shared_ptr<Verifier> verifier;

  Two() {
    auth.parts->settings.issuer = "https://chat.example";
    auth.parts->verifier->issued_by("https://chat.example");
    other.kernel.clock = auth.kernel.clock;
    other.kernel.ports.offer<Trust>(std::make_shared<TrustHere>(auth.parts));
    stand_in = auth::stand_in(other.kernel);
    verifier = other.kernel.ports.get<Verifier>();
  }
  ~Two() {
    loggia::test::blocking(*other.shards, [this] { stand_in->stop(); });
  }
  void start() {
    loggia::test::blocking(*other.shards, [this] { REQUIRE(stand_in->start()); });
  }
  Errc refusal(const Tokens& tokens) const { return code_of(verifier->verify(tokens.access_token)); }
  bool good(const Tokens& tokens) const { return verifier->verify(tokens.access_token).has_value(); }
  /// As auth's log says it.
  template <class T> void log_says(const T& said) {
    for (const auto& handler : other.bus->log_followers["user-events"])
      handler(loggia::test::FakeBus::event(std::string(T::topic), std::string(T::type), said.user_id.text(), encode(said)));
  }
};

}  // namespace

TEST_CASE("elsewhere a token is checked with auth's keys and for its issuer, and a session that had ended before is known") {
  Two two;
  const auto ada = two.auth.register_as("ada").value(), again = two.auth.login("ada").value(), bob = two.auth.register_as("bob").value();
  REQUIRE(two.auth.wait(two.auth.accounts.on(two.auth.with(again), Logout())));
  REQUIRE(two.auth.shell("user.disable", {"bob"}));
  CHECK(two.refusal(ada) == Errc::unauthenticated);  // nothing is known yet
  two.start();
  const auto verified = two.verifier->verify(ada.access_token);
  REQUIRE(verified);
  CHECK(verified->caller.username == "ada");
  CHECK(UserId(verified->caller.subject) == ada.user.id);
  CHECK(two.refusal(again) == Errc::unauthenticated);
  CHECK(two.refusal(bob) == Errc::unauthenticated);
  CHECK(two.verifier->jwks() == two.auth.parts->keys->jwks());
}

TEST_CASE("elsewhere a session ends, and an account, when auth's log says so, and who watches hears it once") {
  Two two;
  const auto ada = two.auth.register_as("ada").value(), again = two.auth.login("ada").value();
  two.start();
  std::vector<std::pair<UserId, SessionId>> heard;
  const auto watch = two.verifier->on_revoked([&](UserId user, SessionId session) { heard.emplace_back(user, session); });
  SessionRevoked ended;
  ended.user_id = ada.user.id;
  ended.session = SessionId(two.auth.with(again).caller().session);
  two.log_says(ended);
  two.log_says(ended);
  CHECK(heard == std::vector{std::pair(ended.user_id, ended.session)});
  CHECK(two.refusal(again) == Errc::unauthenticated);
  CHECK(two.good(ada));
  UserDisabled disabled;
  disabled.user_id = ada.user.id;
  two.log_says(disabled);
  CHECK_FALSE(two.good(ada));
  UserEnabled enabled;
  enabled.user_id = ada.user.id;
  two.log_says(enabled);
  CHECK(two.good(ada));
}

TEST_CASE("elsewhere nobody is let in while nothing was heard of auth for five seconds") {
  Two two;
  const auto ada = two.auth.register_as("ada").value();
  two.start();
  CHECK(two.stand_in->ready().state == Check::State::ok);
  two.other.bus->silence = milliseconds(5000);
  CHECK_FALSE(two.verifier->in_contact());
  CHECK(two.refusal(ada) == Errc::unavailable);
  CHECK(two.stand_in->ready().state == Check::State::down);
  two.other.bus->silence = milliseconds(4999);
  CHECK(two.good(ada));
}
