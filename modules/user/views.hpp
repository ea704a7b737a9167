#pragma once
// What one person may see of another (contract, section 2: "user"). On the store's threads.
#include <unordered_set>
#include "loggia/user/contract.hpp"
#include "presence.hpp"
#include "profile_store.hpp"

namespace loggia::user {

/// Whoever hides their presence sees nobody else's, and a block hides it in both directions. A guest sees nobody but themselves.
class Viewer {
 public:
  Viewer(Query& query, const Caller& caller, const Presence& presence, Time now);
  bool may_see(const ProfileRow& row) const { return row.id == id_ || (!guest_ && !row.deleted); }
  Profile view(const ProfileRow& row) const;

 private:
  UserId id_;
  bool guest_ = false, shows_ = true;
  std::unordered_set<UserId> blocked_;
  const Presence& presence_;
  Time now_;
};

OwnProfile own_view(const ProfileRow& row, const Presence& presence, Time now);

}  // namespace loggia::user
