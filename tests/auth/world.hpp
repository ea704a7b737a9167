#pragma once
// The services of auth on fakes: a hash that costs nothing, a directory that a test can make refuse, a store in memory.
#include <doctest/doctest.h>
#include <algorithm>
#include <deque>
#include "account_changes.hpp"
#include "accounts.hpp"
#include "administration.hpp"
#include "commands.hpp"
#include "loggia/kernel/json.hpp"
#include "support/fakes.hpp"
#include "support/print.hpp"
#include "tokens.hpp"

namespace loggia::auth {
std::vector<Migration> migrations();
}

namespace loggia::auth::testing {

class FakeDirectory final : public user::Directory {
 public:
  Async<Nothing> on(Context context, user::CreateProfile request) override {
    made.push_back(request);
    callers.push_back(context.caller());
    if (!refusals.empty()) {
      auto error = refusals.front();
      refusals.pop_front();
      co_return error;
    }
    co_return Nothing();
  }
  Async<user::People> on(Context, user::GetPeople) override { co_return user::People(); }
  Async<user::People> on(Context, user::FindPeople) override { co_return user::People(); }
  Async<user::BlockedWith> on(Context, user::GetBlocked) override { co_return user::BlockedWith(); }

  std::vector<user::CreateProfile> made;
  std::vector<Caller> callers;
  std::deque<Error> refusals;
};

inline Hasher cheap_hasher(std::shared_ptr<std::atomic<int>> verified) {
  Hasher out;
  out.hash = [](std::string_view password) { return "cheap:" + crypto::base64url(crypto::sha256(password)); };
  out.verify = [verified](std::string_view password, const std::string& stored) {
    ++*verified;
    return stored == "cheap:" + crypto::base64url(crypto::sha256(password));
  };
  out.decoy = out.hash("no account has this password");
  return out;
}

inline constexpr const char* good_password = "correct horse battery";

struct World {
  test::FakeKernel kernel;
  std::shared_ptr<FakeDirectory> directory = std::make_shared<FakeDirectory>();
  std::shared_ptr<std::atomic<int>> verified = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<Parts> parts = std::make_shared<Parts>();
  AccountsHere accounts{parts};
  AdministrationHere administration{parts};

  World() {
    parts->database = kernel.kernel.open("auth", migrations());
    parts->log = kernel.bus->open_log("auth", parts->database, std::vector<Topic>());
    parts->clock = kernel.clock;
    parts->random = kernel.random;
    parts->ids = kernel.kernel.ids;
    parts->metrics = kernel.kernel.metrics;
    parts->passwords = std::make_shared<Passwords>(cheap_hasher(verified), 1, 64);
    parts->directory = directory;
    start();
    add_commands(kernel.kernel.commands, parts);
  }
  ~World() { parts->database->close(); }

  /// As a process does that starts on this database.
  void start() {
    parts->keys = std::make_shared<KeyRing>(parts->settings.token_lifetime);
    parts->verifier = std::make_shared<VerifierHere>(parts->settings.issuer, parts->keys, kernel.clock);
    REQUIRE(parts->load());
  }

  template <class T> T wait(boost::asio::awaitable<T> work) { return kernel.wait(std::move(work)); }
  Context outside() const { return Context().from("192.0.2.7", "browser/1"); }

  Result<Tokens> register_as(const std::string& name, const std::string& password = good_password) {
    Register request;
    request.username = name;
    request.password = password;
    return wait(accounts.on(outside(), request));
  }
  Result<Tokens> login(const std::string& name, const std::string& password = good_password) {
    Login request;
    request.login = name;
    request.password = password;
    return wait(accounts.on(outside(), request));
  }
  Result<Tokens> refresh(const std::string& token, const std::string& key = std::string()) {
    Refresh request;
    request.refresh_token = token;
    return wait(accounts.on(outside().keyed(key), request));
  }
  bool live(const Tokens& tokens) const { return parts->verifier->verify(tokens.access_token).has_value(); }
  /// The context of a request that carries this access token.
  Context with(const Tokens& tokens) const {
    auto verified_token = parts->verifier->verify(tokens.access_token);
    REQUIRE(verified_token);
    return outside().as(verified_token->caller);
  }
  Result<std::string> shell(const std::string& command, std::vector<std::string> arguments) {
    return wait(kernel.kernel.commands.at(command)(Context().from("shell", "loggia"), std::move(arguments)));
  }
  Context admin() { return kernel.as(kernel.kernel.ids->make<Uuid>(), std::vector<std::string>(1, "admin")).from("192.0.2.9", "browser/1"); }

  std::vector<std::string> events(const std::string& type) const {
    std::vector<std::string> out;
    for (const auto& event : kernel.bus->appended)
      if (event.type == type) out.push_back(event.data);
    return out;
  }
  std::vector<AuditEntry> audit(const std::string& action = std::string()) {
    ListAudit request;
    if (!action.empty()) request.action = action;
    request.limit = 200;
    return wait(administration.on(admin(), request)).value().items;
  }
};

template <class T> std::string pointer_of(const Result<T>& result) {
  REQUIRE(!result);
  const auto error = result.error();
  return error.fields.empty() ? std::string() : error.fields[0].pointer;
}
template <class T> Errc code_of(const Result<T>& result) {
  REQUIRE(!result);
  return result.error().code;
}

}  // namespace loggia::auth::testing
