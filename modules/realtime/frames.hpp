#pragma once
// The frames that the server makes (contract, section 3), and what it must read of a timeline frame. Pure; any thread.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"
#include "loggia/kernel/http.hpp"

namespace loggia::realtime {

std::string answer_ok(std::int64_t id, std::string_view json);
std::string answer_error(std::int64_t id, const Error& error);
/// Whether the same request may succeed when it is sent again.
bool worth_retrying(Errc code);

/// `{"ev": …, "room"?: …, "at": …, "data": …}`; `room` nil: none.
std::string push_frame(std::string_view ev, const RoomId& room, Time at, std::string_view data);
SharedBytes framed(std::string_view text);

struct ResetData {
  static constexpr std::string_view ev = "room.reset";
  static constexpr Rule rules[] = {one_of("why", "too_many|epoch|ahead")};
  std::int64_t last_seq = 0;
  std::string why;
};
BOOST_DESCRIBE_STRUCT(ResetData, (), (last_seq, why))
struct CursorData {
  static constexpr std::string_view ev = "replay.done";
  std::string cursor;
};
BOOST_DESCRIBE_STRUCT(CursorData, (), (cursor))
struct RemovedData {
  static constexpr std::string_view ev = "room.removed";
  static constexpr Rule rules[] = {one_of("why", "left|removed|banned|deleted|unknown")};
  std::string why;
};
BOOST_DESCRIBE_STRUCT(RemovedData, (), (why))
struct ReceiptData {
  static constexpr std::string_view ev = "receipt";
  UserId user_id;
  std::int64_t seq = 0;
  std::optional<std::int64_t> unread, mentions;  // to the reader's own connections
};
BOOST_DESCRIBE_STRUCT(ReceiptData, (), (user_id, seq, unread, mentions))
struct TypingData {
  static constexpr std::string_view ev = "typing";
  UserId user_id;
};
BOOST_DESCRIBE_STRUCT(TypingData, (), (user_id))
struct PresenceData {
  static constexpr std::string_view ev = "presence";
  static constexpr Rule rules[] = {one_of("state", "online|away|offline")};
  UserId user_id;
  std::string state;
  std::optional<Time> last_seen;
  std::optional<std::string> status_text;
};
BOOST_DESCRIBE_STRUCT(PresenceData, (), (user_id, state, last_seen, status_text))
struct ExpiringData {
  static constexpr std::string_view ev = "auth.expiring";
  Time expires_at{};
};
BOOST_DESCRIBE_STRUCT(ExpiringData, (), (expires_at))
struct DrainingData {
  static constexpr std::string_view ev = "server.draining";
  std::int64_t reconnect_within = 0;  // seconds
};
BOOST_DESCRIBE_STRUCT(DrainingData, (), (reconnect_within))

/// A notification as in `GET /notifications`.
struct NotificationData {
  static constexpr std::string_view ev = "notification";
  static constexpr Rule rules[] = {one_of("kind", "mention|direct|message|system")};
  NotificationId id;
  std::string kind;
  std::optional<RoomId> room;
  std::optional<std::int64_t> seq;
  std::optional<UserId> from;
  Time created_at{};
  bool read = false;
};
BOOST_DESCRIBE_STRUCT(NotificationData, (), (id, kind, room, seq, from, created_at, read))
/// Its data is a chat::Standing.
inline constexpr std::string_view room_added = "room.added";

/// `ev` and `seq` of a timeline frame as it is stored; `ev` points into the frame.
struct Head {
  std::string_view ev;
  std::int64_t seq = 0;
};
std::optional<Head> head_of(std::string_view frame);

/// The data of member.joined, member.role and member.left.
struct MemberChange {
  UserId user_id;
  std::optional<std::string> role, why;
};
BOOST_DESCRIBE_STRUCT(MemberChange, (), (user_id, role, why))
Result<MemberChange> member_change(std::string_view frame);

}  // namespace loggia::realtime
