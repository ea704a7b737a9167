#include "frame.hpp"
#include <charconv>
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"

namespace loggia::chat {
namespace {

void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}
template <class T> void append_ids(std::string& out, const std::vector<T>& ids) {
  out += '[';
  for (std::size_t at = 0; at < ids.size(); ++at) {
    out += at == 0 ? "\"" : ",\"";
    (out += ids[at].text()) += '"';
  }
  out += ']';
}
void append_reactions(std::string& out, const std::vector<Reaction>& reactions) {
  out += '[';
  for (std::size_t at = 0; at < reactions.size(); ++at) {
    out += at == 0 ? "{\"emoji\":" : ",{\"emoji\":";
    append_quoted(out, reactions[at].emoji);
    out += ",\"count\":";
    append_number(out, reactions[at].count);
    out += ",\"users\":";
    append_ids(out, reactions[at].users);
    out += '}';
  }
  out += ']';
}

}  // namespace

void open_frame(std::string& out, std::string_view ev, const RoomId& room, std::int64_t seq, const std::optional<UserId>& by, Time at) {
  ((out += "{\"ev\":\"") += ev) += "\",\"room\":\"";
  (out += room.text()) += "\",\"seq\":";
  append_number(out, seq);
  if (by) ((out += ",\"by\":\"") += by->text()) += '"';
  ((out += ",\"at\":\"") += to_rfc3339(at)) += "\",\"data\":";
}

void append_message(std::string& out, const Message& message) {
  ((out += "{\"id\":\"") += message.id.text()) += "\",\"room\":\"";
  (out += message.room.text()) += "\",\"seq\":";
  append_number(out, message.seq);
  ((out += ",\"author\":\"") += message.author.text()) += "\",\"text\":";
  append_quoted(out, message.text);
  if (message.client_id) append_quoted(out += ",\"client_id\":", *message.client_id);
  if (message.reply_to) append_number(out += ",\"reply_to\":", *message.reply_to);
  out += ",\"attachments\":[";
  for (std::size_t at = 0; at < message.attachments.size(); ++at) (out += at == 0 ? "" : ",") += message.attachments[at].text;
  out += "],\"reactions\":";
  append_reactions(out, message.reactions);
  out += ",\"mentions\":";
  append_ids(out, message.mentions);
  if (message.mentions_room) out += *message.mentions_room ? ",\"mentions_room\":true" : ",\"mentions_room\":false";
  ((out += ",\"created_at\":\"") += to_rfc3339(message.created_at)) += '"';
  if (message.edited_at) ((out += ",\"edited_at\":\"") += to_rfc3339(*message.edited_at)) += '"';
  if (message.deleted) out += *message.deleted ? ",\"deleted\":true" : ",\"deleted\":false";
  out += '}';
}

std::string message_frame(std::string_view ev, std::int64_t seq, const std::optional<UserId>& by, Time at, const Message& message) {
  std::string out;
  out.reserve(512 + message.text.size() + message.text.size() / 8);
  open_frame(out, ev, message.room, seq, by, at);
  append_message(out, message);
  out += '}';
  return out;
}

Message remains_of(const Message& message) {
  Message out;
  out.id = message.id;
  out.room = message.room;
  out.seq = message.seq;
  out.author = message.author;
  out.created_at = message.created_at;
  out.deleted = true;
  return out;
}

std::string rewritten_frame(std::string_view frame, const Message& now) {
  const auto head = decode_text<TimelineFrame>(frame, Manner::lenient).value();
  if (now.deleted) return message_frame(head.ev, head.seq, head.by, head.at, remains_of(now));
  auto then = decode_text<Message>(head.data.text, Manner::lenient).value();
  then.text = now.text;
  then.attachments = now.attachments;
  then.mentions = now.mentions;
  then.mentions_room = now.mentions_room;
  return message_frame(head.ev, head.seq, head.by, head.at, then);
}

}  // namespace loggia::chat
