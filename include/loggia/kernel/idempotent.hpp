#pragma once
// The one way to honour an Idempotency-Key inside a write. For services: includes the JSON codec.
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia {

/// `make(transaction) -> Result<Reply>`; Reply is described, or an Outcome of what is. `request` as it was decoded.
template <class R, class F> Result<typename R::Reply> once(Transaction& transaction, const Context& context, const R& request, Time now, F make) {
  using Reply = typename R::Reply;
  if (context.idempotency_key().empty() || !context.caller().known()) return make(transaction);
  const std::string fingerprint = std::string(R::route) + ' ' + encode(request);
  auto stored = Idempotency::stored(transaction, context, fingerprint, now);
  if (!stored) return stored.error();
  if constexpr (requires { typename Reply::Value; }) {
    if (*stored) {
      auto value = decode_text<typename Reply::Value>(std::string_view(**stored).substr(1), Manner::lenient);
      if (!value) return value.error();
      Reply reply;
      reply.value = std::move(*value);
      reply.created = (**stored)[0] == '1';
      return reply;
    }
    auto reply = make(transaction);
    if (reply) Idempotency::keep(transaction, context, fingerprint, (reply->created ? "1" : "0") + encode(reply->value), now);
    return reply;
  } else {
    if (*stored) return decode_text<Reply>(**stored, Manner::lenient);
    auto reply = make(transaction);
    if (reply) Idempotency::keep(transaction, context, fingerprint, encode(*reply), now);
    return reply;
  }
}

}  // namespace loggia
