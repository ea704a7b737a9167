#pragma once
// What the services of this module share. All of it is safe from every thread; nothing here changes after start().
#include <functional>
#include <memory>
#include <string>
#include "key_ring.hpp"
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/ids.hpp"
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/storage.hpp"
#include "loggia/user/contract.hpp"
#include "passwords.hpp"
#include "verifier_here.hpp"

namespace loggia::auth {

struct Settings {
  std::string issuer = "loggia", registration = "open";
  bool mail = false;  // whether this server sends any
  milliseconds token_lifetime{600000}, session_lifetime{std::chrono::hours(24 * 30)};
};

struct Parts {
  Settings settings;
  std::shared_ptr<Database> database;
  std::shared_ptr<Log> log;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
  std::shared_ptr<Ids> ids;
  std::shared_ptr<Metrics> metrics;
  std::shared_ptr<KeyRing> keys;
  std::shared_ptr<VerifierHere> verifier;
  std::shared_ptr<Passwords> passwords;
  std::shared_ptr<user::Directory> directory;  // from start() on
  std::string secret;                          // seals refresh tokens; from start() on
  std::function<void()> wake_mail;             // something is to be sent; may be empty
  std::function<std::string()> link_base;      // where links in mails lead

  /// Reads or makes keys and secret, and what the verifier must know of the past. Blocks; before the first call.
  Result<bool> load();
  /// Forgets what is over and looks after the keys; now and then.
  static Async<bool> maintain(std::shared_ptr<Parts> parts, Context context);
};

}  // namespace loggia::auth
