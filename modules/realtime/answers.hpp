#pragma once
// What `ok` and `error` of an answer hold (contract, section 3). Pure; any thread.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include "loggia/chat/contract.hpp"
#include "loggia/ids.hpp"

namespace loggia::realtime {

struct HelloUser {
  UserId id;
  std::string username;
};
BOOST_DESCRIBE_STRUCT(HelloUser, (), (id, username))
struct HelloOk {
  std::string session;
  HelloUser user;
  std::string epoch, cursor;
  std::vector<chat::Standing> rooms;
  std::optional<bool> more;
  std::optional<std::vector<RoomId>> gone;
  std::int64_t heartbeat = 0;  // seconds
  std::string server;
};
BOOST_DESCRIBE_STRUCT(HelloOk, (), (session, user, epoch, cursor, rooms, more, gone, heartbeat, server))
struct ExpiresOk {
  Time expires_at{};
};
BOOST_DESCRIBE_STRUCT(ExpiresOk, (), (expires_at))
struct PingOk {
  Time at{};
  std::string cursor;
};
BOOST_DESCRIBE_STRUCT(PingOk, (), (at, cursor))
struct SyncOk {
  std::vector<RawJson> events;  // frames of the time line, as they are stored
  bool more = false;
};
BOOST_DESCRIBE_STRUCT(SyncOk, (), (events, more))

struct ErrorData {
  std::string code, detail;
  bool retry = false;
  std::optional<std::int64_t> retry_after;  // seconds
};
BOOST_DESCRIBE_STRUCT(ErrorData, (), (code, detail, retry, retry_after))

}  // namespace loggia::realtime
