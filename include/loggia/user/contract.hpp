#pragma once
// Who people are: profiles, settings of a person, blocks. Presence is what realtime tells (user-status-updates), last_seen is stored.
#include <map>
#include <memory>
#include <optional>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::user {

struct Profile {
  UserId id;
  std::string username, display_name, bio;
  std::optional<std::string> avatar_url;
  std::string presence;  // online, away, offline
  std::optional<Time> last_seen;
  std::optional<std::string> status_text;
  Time created_at{};
};
BOOST_DESCRIBE_STRUCT(Profile, (), (id, username, display_name, bio, avatar_url, presence, last_seen, status_text, created_at))

struct OwnProfile {
  UserId id;
  std::string username, display_name, bio;
  std::optional<std::string> avatar_url;
  std::string presence;
  std::optional<Time> last_seen;
  std::optional<std::string> status_text;
  Time created_at{};
  std::string locale, time_zone;
  bool show_presence = true, show_receipts = true;
};
BOOST_DESCRIBE_STRUCT(OwnProfile, (),
                      (id, username, display_name, bio, avatar_url, presence, last_seen, status_text, created_at, locale, time_zone, show_presence,
                       show_receipts))

struct Profiles {
  std::vector<Profile> items;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(Profiles, (), (items, next))

struct ListUsers {
  using Reply = Profiles;
  static constexpr std::string_view route = "GET /users";
  static constexpr std::string_view summary = "List or search people.";
  static constexpr Rule rules[] = {length("query", 0, 100), range("limit", 1, 200), length("cursor", 1, 256)};
  std::optional<std::string> query;
  std::optional<std::int64_t> limit;
  std::optional<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(ListUsers, (), (query, limit, cursor))

struct GetMe {
  using Reply = OwnProfile;
  static constexpr std::string_view route = "GET /users/me";
  static constexpr std::string_view summary = "My profile with my settings.";
};
BOOST_DESCRIBE_STRUCT(GetMe, (), ())

struct UpdateMe {
  using Reply = OwnProfile;
  static constexpr std::string_view route = "PATCH /users/me";
  static constexpr std::string_view summary = "Change my profile or settings.";
  static constexpr bool idempotent = true;
  static constexpr Rule rules[] = {length("display_name", 1, 64), length("bio", 0, 1000), length("status_text", 0, 140), length("locale", 1, 35),
                                   length("time_zone", 1, 64)};
  std::optional<std::string> display_name, bio, status_text, locale, time_zone;
  std::optional<bool> show_presence, show_receipts;
};
BOOST_DESCRIBE_STRUCT(UpdateMe, (), (display_name, bio, status_text, locale, time_zone, show_presence, show_receipts))

struct GetUser {
  using Reply = Profile;
  static constexpr std::string_view route = "GET /users/{id}";
  static constexpr std::string_view summary = "A person's profile.";
  UserId id;
};
BOOST_DESCRIBE_STRUCT(GetUser, (), (id))

struct GetUserByName {
  using Reply = Profile;
  static constexpr std::string_view route = "GET /users/by-name/{username}";
  static constexpr std::string_view summary = "A person's profile by username, without regard to case.";
  std::string username;
};
BOOST_DESCRIBE_STRUCT(GetUserByName, (), (username))

struct BlockUser {
  using Reply = Nothing;
  static constexpr std::string_view route = "PUT /users/me/blocks/{user}";
  static constexpr std::string_view summary = "Block a person: no direct messages, notifications or presence between us.";
  UserId user;
};
BOOST_DESCRIBE_STRUCT(BlockUser, (), (user))

struct UnblockUser {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /users/me/blocks/{user}";
  static constexpr std::string_view summary = "Unblock a person.";
  UserId user;
};
BOOST_DESCRIBE_STRUCT(UnblockUser, (), (user))

struct ListBlocks {
  using Reply = Profiles;
  static constexpr std::string_view route = "GET /users/me/blocks";
  static constexpr std::string_view summary = "The people whom I block.";
  static constexpr Rule rules[] = {range("limit", 1, 200), length("cursor", 1, 256)};
  std::optional<std::int64_t> limit;
  std::optional<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(ListBlocks, (), (limit, cursor))

using Users = Port<ListUsers, GetMe, UpdateMe, GetUser, GetUserByName, BlockUser, UnblockUser, ListBlocks>;

// ---- for other modules ----

/// What another module may need to know of somebody.
struct Person {
  UserId id;
  std::string username, display_name, time_zone;
  std::optional<std::string> status_text;
  bool show_presence = true, show_receipts = true, deleted = false;
};
BOOST_DESCRIBE_STRUCT(Person, (), (id, username, display_name, time_zone, status_text, show_presence, show_receipts, deleted))
struct People {
  std::vector<Person> items;
};
BOOST_DESCRIBE_STRUCT(People, (), (items))

/// Idempotent by id; auth calls it before it answers a registration.
struct CreateProfile {
  using Reply = Nothing;
  static constexpr std::string_view route = "POST /internal/profiles";
  static constexpr Access access = Access::internal;
  static constexpr int status = 204;
  UserId id;
  std::string username, display_name;
};
BOOST_DESCRIBE_STRUCT(CreateProfile, (), (id, username, display_name))

/// Those of the ids that exist, in any order; at most 1,000 ids.
struct GetPeople {
  using Reply = People;
  static constexpr std::string_view route = "POST /internal/people";
  static constexpr Access access = Access::internal;
  static constexpr int status = 200;
  std::vector<UserId> ids;
};
BOOST_DESCRIBE_STRUCT(GetPeople, (), (ids))

/// Those of the usernames that exist, without regard to case.
struct FindPeople {
  using Reply = People;
  static constexpr std::string_view route = "POST /internal/people/by-name";
  static constexpr Access access = Access::internal;
  static constexpr int status = 200;
  std::vector<std::string> usernames;
};
BOOST_DESCRIBE_STRUCT(FindPeople, (), (usernames))

/// Everybody with whom `user` has a block, in either direction.
struct BlockedWith {
  std::vector<UserId> ids;
};
BOOST_DESCRIBE_STRUCT(BlockedWith, (), (ids))
struct GetBlocked {
  using Reply = BlockedWith;
  static constexpr std::string_view route = "GET /internal/users/{user}/blocked";
  static constexpr Access access = Access::internal;
  UserId user;
};
BOOST_DESCRIBE_STRUCT(GetBlocked, (), (user))

using Directory = Port<CreateProfile, GetPeople, FindPeople, GetBlocked>;

}  // namespace loggia::user
