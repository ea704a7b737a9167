#include "description.hpp"
#include <boost/mp11/algorithm.hpp>
#include "frames.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"
#include "protocol.hpp"

namespace loggia::realtime {
namespace {

template <class Op> SocketProtocol::Request request() {
  SocketProtocol::Request out;
  out.op = Op::name;
  out.summary = Op::summary;
  out.in = &schema_text<Op>;
  out.ok = &schema_text<typename Op::Ok>;
  return out;
}

template <class Data> SocketProtocol::Push push(std::string_view ev, bool room, std::string_view summary) {
  SocketProtocol::Push out;
  out.ev = ev;
  out.room = room;
  out.summary = summary;
  out.data = &schema_text<Data>;
  return out;
}
template <class Data> SocketProtocol::Push push(bool room, std::string_view summary) { return push<Data>(Data::ev, room, summary); }

SocketProtocol::Close close(int number, std::string_view why) {
  SocketProtocol::Close out;
  out.code = number;
  out.why = why;
  return out;
}

}  // namespace

SocketProtocol description() {
  SocketProtocol out;
  out.name = "loggia.v1";
  out.address = "/api/v1/realtime";
  out.summary =
      "WebSocket with the subprotocol loggia.v1: text frames, one JSON object each, at most 64 KiB before `hello` is answered and 128 KiB after. "
      "Every request gets exactly one answer, with its `id` as `re`; requests take effect in the order in which they were sent, and 128 may be in "
      "flight. The frames of a room's time line carry `seq`, without holes: a client that knows `seq` n has missed what comes after n, and `resume` "
      "brings it. A client counts the `seq` of a frame whose `ev` it does not know.";
  boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, Operation>>(
      [&](auto type) { out.requests.push_back(request<typename decltype(type)::type>()); });
  out.error = &schema_text<ErrorData>;
  out.timeline = chat::TimelineFrame::topic;
  out.pushes = {
      push<ReceiptData>(true, "Somebody has read up to a message; to the reader's own connections with what is unread. At most once a second."),
      push<TypingData>(true, "A member types; lasts 5 s."),
      push<PresenceData>(false, "Somebody is here, away, or gone."),
      push<chat::Standing>(room_added, true, "A room is the user's from now on: an entry as in `hello`."),
      push<RemovedData>(true, "A room is the user's no more, and nothing of it follows."),
      push<ResetData>(true, "What was missed here is not sent: load it by HTTP. `why`: too much, another epoch, or a position ahead of the room."),
      push<CursorData>(false, "All that a resume brings has been sent."),
      push<NotificationData>(false, "A notification, as in GET /notifications."),
      push<ExpiringData>(false, "The token ends in 60 s: send `auth` with a fresh one."),
      push<DrainingData>(false, "The server goes away: connect again within so many seconds, after a random delay."),
  };
  out.closes = {
      close(code::going_away, "the server goes away: connect again with `resume`, after a random delay"),
      close(1009, "a frame is too large"),
      close(code::protocol_error, "protocol error"),
      close(code::no_hello, "no `hello` in time"),
      close(code::bad_token, "the token is bad or has expired"),
      close(code::too_slow, "too slow; can resume"),
      close(code::revoked, "the session was revoked or the account disabled"),
      close(code::too_many, "too many requests or connections"),
  };
  return out;
}

}  // namespace loggia::realtime
