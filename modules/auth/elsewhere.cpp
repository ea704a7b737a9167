#include "elsewhere.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/kernel/json.hpp"
#include "tokens.hpp"

namespace loggia::auth {

void apply(VerifierHere& verifier, const Event& event, Time now, milliseconds token_lifetime) {
  if (!event.data) return;
  if (event.type == SessionRevoked::type) {
    const auto ended = decode_text<SessionRevoked>(*event.data, Manner::lenient);
    if (ended) verifier.revoked(ended->user_id, ended->session, now + token_lifetime + clock_skew, true);
  } else if (event.type == UserDisabled::type) {
    const auto user = decode_text<UserDisabled>(*event.data, Manner::lenient);
    if (user) verifier.disabled(user->user_id, true);
  } else if (event.type == UserDeleted::type) {
    const auto user = decode_text<UserDeleted>(*event.data, Manner::lenient);
    if (user) verifier.disabled(user->user_id, true);
  } else if (event.type == UserEnabled::type) {
    const auto user = decode_text<UserEnabled>(*event.data, Manner::lenient);
    if (user) verifier.enabled(user->user_id);
  }
}

void hear_other_processes(Bus& bus, const std::shared_ptr<Parts>& parts) {
  if (!parts->database->shared()) return;
  // Our own come by here too.
  bus.follow(std::string(SessionRevoked::topic), [verifier = parts->verifier, clock = parts->clock, lifetime = parts->settings.token_lifetime](
                                                     const EventPtr& event) { apply(*verifier, *event, clock->now(), lifetime); });
}

}  // namespace loggia::auth
