#include "frames.hpp"
#include <charconv>
#include "answers.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::realtime {
namespace {

/// The members before `data` hold no text that a person wrote, so the first `"seq":` among them is the frame's.
std::optional<Head> quick_head(std::string_view frame) {
  constexpr std::string_view start = "{\"ev\":\"", seq = "\"seq\":";
  if (!frame.starts_with(start)) return std::nullopt;
  const auto end = frame.find('"', start.size());
  const auto data = frame.find("\"data\":");
  const auto at = frame.find(seq);
  if (end == frame.npos || data == frame.npos || at == frame.npos || at > data) return std::nullopt;
  Head head;
  head.ev = frame.substr(start.size(), end - start.size());
  const auto [stop, problem] = std::from_chars(frame.data() + at + seq.size(), frame.data() + frame.size(), head.seq);
  if (problem != std::errc() || head.seq <= 0) return std::nullopt;
  return head;
}

}  // namespace

bool worth_retrying(Errc kind) {
  switch (kind) {
    case Errc::rate_limited:
    case Errc::unavailable:
    case Errc::outcome_unknown:
    case Errc::timeout:
    case Errc::insufficient_storage:
      return true;
    case Errc::malformed:
    case Errc::invalid_request:
    case Errc::unauthenticated:
    case Errc::second_factor_required:
    case Errc::forbidden:
    case Errc::not_found:
    case Errc::method_not_allowed:
    case Errc::conflict:
    case Errc::too_large:
    case Errc::unsupported_media_type:
    case Errc::internal:
      return false;
  }
  return false;
}

std::string answer_ok(std::int64_t id, std::string_view json) {
  std::string out = "{\"re\":";
  encode_to(out, id);
  ((out += ",\"ok\":") += json) += '}';
  return out;
}

std::string answer_error(std::int64_t id, const Error& error) {
  ErrorData data;
  data.code = fault(error.code).code;
  data.detail = error.detail;
  for (const auto& field : error.fields) data.detail += (data.detail.empty() ? "" : "; ") + field.pointer + " " + field.detail;
  data.retry = worth_retrying(error.code);
  data.retry_after = error.retry_after;
  std::string out = "{\"re\":";
  encode_to(out, id);
  out += ",\"error\":";
  encode_to(out, data);
  out += '}';
  return out;
}

std::string push_frame(std::string_view ev, const RoomId& room, Time at, std::string_view data) {
  std::string out = "{\"ev\":\"";
  (out += ev) += '"';
  if (!room.nil()) ((out += ",\"room\":\"") += room.text()) += '"';
  ((((out += ",\"at\":\"") += to_rfc3339(at)) += "\",\"data\":") += data) += '}';
  return out;
}

SharedBytes framed(std::string_view text) { return std::make_shared<const std::string>(frame_text(text)); }

std::optional<Head> head_of(std::string_view frame) {
  if (auto quick = quick_head(frame)) return quick;
  auto whole = parse_untrusted(frame);
  if (!whole || !whole->is_object()) return std::nullopt;
  const auto ev = whole->find("ev"), seq = whole->find("seq");
  if (ev == whole->end() || seq == whole->end() || !ev->is_string()) return std::nullopt;
  const auto number = checked_integer(*seq, 1, INT64_MAX);
  const auto at = frame.find(ev->get_ref<const std::string&>());
  if (!number || at == frame.npos) return std::nullopt;
  Head head;
  head.ev = frame.substr(at, ev->get_ref<const std::string&>().size());
  head.seq = *number;
  return head;
}

Result<MemberChange> member_change(std::string_view frame) {
  auto whole = decode_text<chat::TimelineFrame>(frame, Manner::lenient);
  if (!whole) return whole.error();
  return decode_text<MemberChange>(whole->data.text, Manner::lenient);
}

}  // namespace loggia::realtime
