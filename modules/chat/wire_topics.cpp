#include "loggia/chat/events.hpp"
#include "loggia/chat/message.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "wire.hpp"

namespace loggia::chat {
namespace {

/// The schema of a frame whose `data` is a D.
template <class D> std::string frame_schema() {
  auto schema = schema_from(*codec_of<TimelineFrame>());
  schema["properties"]["data"] = schema_from(*codec_of<D>());
  return schema.dump();
}

template <class D> EventType frame(std::string_view type, std::string_view summary) {
  EventType out;
  out.type = type;
  out.summary = summary;
  out.schema = &frame_schema<D>;
  return out;
}

}  // namespace

std::vector<Topic> topics() {
  Topic messages;
  messages.name = TimelineFrame::topic;
  messages.summary = "The time line of each room: every change, with its number. Keyed by the room.";
  messages.types = {
      frame<Message>("message.created", "Somebody wrote a message; the whole of it."),
      frame<Message>("message.edited", "Its author changed a message; the whole of it as it is now."),
      frame<MessageGone>("message.deleted", "A message is gone, and its text with it."),
      frame<PinMoved>("pin.added", "A message was pinned."),
      frame<PinMoved>("pin.removed", "A message is pinned no more."),
      frame<ReactionMoved>("reaction.added", "Somebody reacted to a message."),
      frame<ReactionMoved>("reaction.removed", "Somebody took a reaction back."),
      frame<MemberStands>("member.joined", "Somebody is in the room from now on."),
      frame<MemberStands>("member.role", "A member has another role."),
      frame<MemberGone>("member.left", "Somebody left, was removed or banned."),
      frame<RoomChanged>("room.changed", "The room's description changed: the fields that did."),
      frame<Nothing>("room.deleted", "The room and its texts are gone; its last event."),
  };
  Topic receipts;
  receipts.name = ReceiptMoved::topic;
  receipts.summary = "How far people have read. Keyed by the room.";
  EventType moved;
  moved.type = ReceiptMoved::type;
  moved.summary = "Somebody has read up to a message.";
  moved.schema = &schema_text<ReceiptMoved>;
  receipts.types.push_back(std::move(moved));
  return {std::move(messages), std::move(receipts)};
}

}  // namespace loggia::chat
