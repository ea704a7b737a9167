#pragma once
// What auth announces on `user-events`, keyed by the user (contract, section 4).
#include <string>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::auth {

struct UserRegistered {
  static constexpr std::string_view topic = "user-events", type = "user.registered";
  UserId user_id;
  std::string username;
};
BOOST_DESCRIBE_STRUCT(UserRegistered, (), (user_id, username))
struct UserDisabled {
  static constexpr std::string_view topic = "user-events", type = "user.disabled";
  UserId user_id;
};
BOOST_DESCRIBE_STRUCT(UserDisabled, (), (user_id))
struct UserEnabled {
  static constexpr std::string_view topic = "user-events", type = "user.enabled";
  UserId user_id;
};
BOOST_DESCRIBE_STRUCT(UserEnabled, (), (user_id))
struct UserDeleted {
  static constexpr std::string_view topic = "user-events", type = "user.deleted";
  UserId user_id;
};
BOOST_DESCRIBE_STRUCT(UserDeleted, (), (user_id))
struct SessionRevoked {
  static constexpr std::string_view topic = "user-events", type = "session.revoked";
  UserId user_id;
  SessionId session;
};
BOOST_DESCRIBE_STRUCT(SessionRevoked, (), (user_id, session))

}  // namespace loggia::auth
