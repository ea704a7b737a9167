#include "loggia/kernel/crypto.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia {
namespace {
constexpr std::chrono::hours kept_for(24);
std::span<const std::uint8_t> bytes(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
}  // namespace

Result<std::optional<std::string>> Idempotency::stored(Transaction& transaction, const Context& context, std::string_view fingerprint, Time now) {
  auto rows = transaction.select("SELECT hash, answer FROM idempotency WHERE user = ?1 AND key = ?2 AND at > ?3", context.caller().subject,
                                 context.idempotency_key(), Time(now - kept_for));
  if (!rows->next()) return std::optional<std::string>();
  const auto hash = rows->blob(0);
  const auto ours = crypto::sha256(fingerprint);
  if (!std::equal(hash.begin(), hash.end(), bytes(ours).begin(), bytes(ours).end()))
    return Error(Errc::invalid_request, "this Idempotency-Key was used for another request; take a new key for a new request");
  return std::optional(rows->string(1));
}

void Idempotency::keep(Transaction& transaction, const Context& context, std::string_view fingerprint, std::string_view answer, Time now) {
  const auto hash = crypto::sha256(fingerprint);
  // An answer that is past its day makes room. One that is not is another process's, of a moment ago: then this does not go, and is run again.
  transaction.execute("DELETE FROM idempotency WHERE user = ?1 AND key = ?2 AND at <= ?3", context.caller().subject, context.idempotency_key(),
                      Time(now - kept_for));
  transaction.execute("INSERT INTO idempotency(user, key, hash, answer, at) VALUES (?1, ?2, ?3, ?4, ?5)", context.caller().subject,
                      context.idempotency_key(), bytes(hash), answer, now);
}

}  // namespace loggia
