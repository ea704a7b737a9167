#include "verifier_elsewhere.hpp"
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <mutex>
#include "elsewhere.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::auth {

Result<bool> PublishedKeys::take(const std::string& jwks) {
  const auto document = parse_untrusted(jwks);
  if (!document) return document.error();
  const auto keys = document->find("keys");
  if (keys == document->end() || !keys->is_array()) return Error(Errc::internal, "auth's keys are no JWK Set");
  std::map<std::string, std::shared_ptr<const crypto::VerifyKey>, std::less<>> found;
  for (const auto& key : *keys) {
    auto verify = crypto::VerifyKey::from_jwk(key.dump());
    if (!verify) return verify.error();
    const auto kid = verify->kid();
    found[kid] = std::make_shared<const crypto::VerifyKey>(std::move(*verify));
  }
  const std::unique_lock lock(mutex_);
  by_kid_ = std::move(found);
  jwks_ = jwks;
  return true;
}

std::shared_ptr<const crypto::VerifyKey> PublishedKeys::find(std::string_view kid) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_kid_.find(kid);
  if (found != by_kid_.end()) return found->second;
  missed_ = true;
  return nullptr;
}

std::string PublishedKeys::jwks() const {
  const std::shared_lock lock(mutex_);
  return jwks_;
}

namespace {

constexpr milliseconds contact_within{5000}, ask_every{1000}, first_answer_within{60000}, trust_limit{5000};
constexpr int turns_between_questions = 60;
constexpr milliseconds longest_lifetime(std::chrono::hours(24));  // of a token; until auth has said

class VerifierElsewhere final : public Verifier {
 public:
  VerifierElsewhere(std::shared_ptr<VerifierHere> known, std::shared_ptr<Bus> bus) : known_{std::move(known)}, bus_{std::move(bus)} {}
  Result<Verified> verify(std::string_view token) const override {
    if (in_contact()) return known_->verify(token);
    Error away(Errc::unavailable, "the server cannot check sessions at the moment; try again in a few seconds");
    away.retry_after = 5;
    return away;
  }
  std::string jwks() const override { return known_->jwks(); }
  Watch on_revoked(std::function<void(UserId user, SessionId session)> handler) override { return known_->on_revoked(std::move(handler)); }
  bool in_contact() const override { return bus_->silent_for("auth") < contact_within; }

 private:
  const std::shared_ptr<VerifierHere> known_;
  const std::shared_ptr<Bus> bus_;
};

class StandIn final : public Module {
 public:
  explicit StandIn(Kernel& kernel)
      : kernel_{kernel},
        keys_{std::make_shared<PublishedKeys>()},
        known_{std::make_shared<VerifierHere>(std::string(), keys_, kernel.clock)},
        verifier_{std::make_shared<VerifierElsewhere>(known_, kernel.bus)} {
    kernel.ports.offer<Verifier>(verifier_);
    kernel.bus->follow_log("auth", std::string(SessionRevoked::topic),
                           [known = known_, clock = kernel.clock, lifetime = lifetime_](const EventPtr& event) {
                             apply(*known, *event, clock->now(), milliseconds(lifetime->load()));
                           });
  }

  /// The log is followed by now.
  Result<bool> start() override {
    trust_ = kernel_.ports.get<Trust>();
    auto asked =
        boost::asio::co_spawn(kernel_.shards->executor(0), ask_until(kernel_.clock->moment() + first_answer_within), boost::asio::use_future);
    if (auto first = asked.get(); !first) return first;
    tasks_.spawn(kernel_.shards->executor(0), "auth.trust", keep_asking());
    return true;
  }

  Check ready() const override {
    Check check;
    if (verifier_->in_contact()) return check;
    check.state = Check::State::down;
    check.detail = "auth has not answered for some seconds: nobody can be let in";
    return check;
  }

  void stop() override {
    tasks_.cancel();
    tasks_.wait(milliseconds(10000));
  }

 private:
  Async<bool> ask() {
    Context context(new_trace(*kernel_.random), kernel_.clock->moment() + trust_limit);
    auto trusted = co_await trust_->ask<GetTrust>(context);
    if (!trusted) co_return trusted.error();
    // As auth has them: what this process's own configuration says of it does not count.
    known_->issued_by(trusted->issuer);
    *lifetime_ = trusted->token_lifetime;
    for (const auto& one : trusted->ended) known_->revoked(one.user, one.session, one.until, true);
    for (const auto& user : trusted->disabled) known_->disabled(user, true);
    co_return keys_->take(trusted->keys.text);
  }

  Async<bool> ask_until(Moment end) {
    for (;;) {
      auto asked = co_await ask();
      if (asked || kernel_.clock->moment() >= end) co_return asked;
      auto waited = co_await sleep_for(milliseconds(50));
      if (!waited) co_return waited.error();
    }
  }

  /// For new keys, and now and then for all.
  boost::asio::awaitable<void> keep_asking() {
    for (int turn = 1;; ++turn) {
      auto waited = co_await sleep_for(ask_every);
      if (!waited) co_return;
      known_->forget(kernel_.clock->now());
      if (!keys_->missed() && turn % turns_between_questions != 0) continue;
      auto asked = co_await ask();
      if (!asked) log::warn("auth.trust_not_read", Field("why", asked.error().detail));
    }
  }

  Kernel& kernel_;
  const std::shared_ptr<std::atomic<std::int64_t>> lifetime_ = std::make_shared<std::atomic<std::int64_t>>(longest_lifetime.count());
  std::shared_ptr<PublishedKeys> keys_;
  std::shared_ptr<VerifierHere> known_;
  std::shared_ptr<VerifierElsewhere> verifier_;
  std::shared_ptr<Trust> trust_;
  Tasks tasks_;  // last: it uses the others
};

}  // namespace

std::unique_ptr<Module> stand_in(Kernel& kernel) { return std::make_unique<StandIn>(kernel); }

}  // namespace loggia::auth
