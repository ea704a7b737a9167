#include "passwords.hpp"
#include "loggia/kernel/crypto.hpp"

namespace loggia::auth {
namespace {

Error busy(Error error) {
  if (error.code == Errc::unavailable) error.retry_after = 1;
  return error;
}

}  // namespace

Hasher argon2(const std::shared_ptr<Random>& random) {
  Hasher out;
  out.hash = [random](std::string_view password) { return crypto::hash_password(password, *random); };
  out.verify = [](std::string_view password, const std::string& stored) { return crypto::verify_password(password, stored); };
  out.decoy = crypto::decoy_hash(*random);
  return out;
}

Passwords::Passwords(Hasher hasher, std::size_t threads, std::size_t queue) : hasher_{std::move(hasher)}, pool_{threads, queue, "passwords"} {}

Async<std::string> Passwords::hash(std::string password) {
  auto work = [hash = hasher_.hash, password = std::move(password)] { return hash(password); };
  auto done = co_await pool_.run(std::move(work));
  if (!done) co_return busy(done.error());
  co_return done;
}

Async<bool> Passwords::verify(std::string password, std::optional<std::string> stored) {
  const bool known = stored.has_value();
  auto work = [verify = hasher_.verify, password = std::move(password), against = stored.value_or(hasher_.decoy)] {
    return verify(password, against);
  };
  auto done = co_await pool_.run(std::move(work));
  if (!done) co_return busy(done.error());
  co_return *done&& known;
}

}  // namespace loggia::auth
