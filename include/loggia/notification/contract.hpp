#pragma once
// Who is told of what: settings of a person, notifications in the app, and why somebody was (not) notified.
#include <map>
#include <optional>
#include <string>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::notification {

struct QuietHours {
  std::string from, to;  // HH:MM in the person's time zone
};
BOOST_DESCRIBE_STRUCT(QuietHours, (), (from, to))

struct Settings {
  static constexpr Rule rules[] = {one_of("default", "all|mentions|none"), one_of("rooms", "all|mentions|none"), items("rooms", 0, 1000)};
  static constexpr std::string_view defaults[] = {"rooms", "email", "web_push"};
  std::string default_;
  std::map<std::string, std::string> rooms;  // by room id
  std::optional<QuietHours> quiet_hours;
  bool email = false, web_push = false;
};
BOOST_DESCRIBE_STRUCT(Settings, (), (default_, rooms, quiet_hours, email, web_push))

struct GetSettings {
  using Reply = Settings;
  static constexpr std::string_view route = "GET /notifications/settings";
  static constexpr std::string_view summary = "What I am told of.";
};
BOOST_DESCRIBE_STRUCT(GetSettings, (), ())
struct PutSettings {
  using Reply = Settings;
  static constexpr std::string_view route = "PUT /notifications/settings";
  static constexpr std::string_view summary = "Change what I am told of.";
  static constexpr int status = 200;
  static constexpr Rule rules[] = {one_of("default", "all|mentions|none"), one_of("rooms", "all|mentions|none"), items("rooms", 0, 1000)};
  static constexpr std::string_view defaults[] = {"rooms", "email", "web_push"};
  std::string default_;
  std::map<std::string, std::string> rooms;
  std::optional<QuietHours> quiet_hours;
  bool email = false, web_push = false;
};
BOOST_DESCRIBE_STRUCT(PutSettings, (), (default_, rooms, quiet_hours, email, web_push))

struct Notification {
  NotificationId id;
  std::string kind;  // mention, direct, message, system
  std::optional<RoomId> room;
  std::optional<std::int64_t> seq;
  std::optional<UserId> from;
  Time created_at{};
  bool read = false;
};
BOOST_DESCRIBE_STRUCT(Notification, (), (id, kind, room, seq, from, created_at, read))

struct NotificationList {
  std::vector<Notification> items;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(NotificationList, (), (items, next))
struct ListNotifications {
  using Reply = NotificationList;
  static constexpr std::string_view route = "GET /notifications";
  static constexpr std::string_view summary = "My notifications, newest first.";
  static constexpr Rule rules[] = {range("limit", 1, 200), length("cursor", 1, 256)};
  std::optional<std::int64_t> limit;
  std::optional<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(ListNotifications, (), (limit, cursor))
struct MarkNotificationsRead {
  using Reply = Nothing;
  static constexpr std::string_view route = "PUT /notifications/read";
  static constexpr std::string_view summary = "Mark some, or all, as read.";
  static constexpr Rule rules[] = {items("ids", 0, 1000)};
  std::optional<std::vector<NotificationId>> ids;
  std::optional<bool> all;
};
BOOST_DESCRIBE_STRUCT(MarkNotificationsRead, (), (ids, all))

struct RuleResult {
  std::string rule, result;
};
BOOST_DESCRIBE_STRUCT(RuleResult, (), (rule, result))
struct Explanation {
  bool notified = false;
  std::vector<RuleResult> rules;  // in the order in which they were asked
};
BOOST_DESCRIBE_STRUCT(Explanation, (), (notified, rules))
struct Explain {
  using Reply = Explanation;
  static constexpr std::string_view route = "GET /notifications/explain";
  static constexpr std::string_view summary = "Why I was, or was not, notified of a message.";
  static constexpr Rule rules[] = {range("seq", 1, INT64_MAX)};
  RoomId room;
  std::int64_t seq = 0;
};
BOOST_DESCRIBE_STRUCT(Explain, (), (room, seq))

using Notifications = Port<GetSettings, PutSettings, ListNotifications, MarkNotificationsRead, Explain>;

}  // namespace loggia::notification
