#pragma once
// Answers the contract of the user module: profiles for people (Users) and for other modules (Directory). Called on every shard at once.
#include <memory>
#include <string>
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/storage.hpp"
#include "loggia/user/contract.hpp"
#include "presence.hpp"
#include "profile_rules.hpp"
#include "profile_store.hpp"

namespace loggia::user {

/// What the services of this module share. All of it is safe from every thread.
struct Parts {
  std::shared_ptr<Database> database;
  std::shared_ptr<Log> log;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Presence> presence;
  TimeZones zones;
};

class UsersHere final : public Users {
 public:
  explicit UsersHere(std::shared_ptr<Parts> parts) : parts_{std::move(parts)} {}
  Async<Profiles> on(Context context, ListUsers request) override;
  Async<OwnProfile> on(Context context, GetMe request) override;
  Async<OwnProfile> on(Context context, UpdateMe request) override;
  Async<Profile> on(Context context, GetUser request) override;
  Async<Profile> on(Context context, GetUserByName request) override;
  Async<Nothing> on(Context context, BlockUser request) override;
  Async<Nothing> on(Context context, UnblockUser request) override;
  Async<Profiles> on(Context context, ListBlocks request) override;

 private:
  std::shared_ptr<Parts> parts_;
};

class DirectoryHere final : public Directory {
 public:
  explicit DirectoryHere(std::shared_ptr<Parts> parts) : parts_{std::move(parts)} {}
  Async<Nothing> on(Context context, CreateProfile request) override;
  Async<People> on(Context context, GetPeople request) override;
  Async<People> on(Context context, FindPeople request) override;
  Async<BlockedWith> on(Context context, GetBlocked request) override;

 private:
  std::shared_ptr<Parts> parts_;
};

/// Stores last_seen of whom it is time for.
Async<bool> store_last_seen(std::shared_ptr<Parts> parts, Context context);

}  // namespace loggia::user
