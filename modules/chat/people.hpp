#pragma once
// What chat asks the user module: names for lists and of new members, who blocks whom. Used on the caller's shard, from all
// shards at once, after connect().
#include <memory>
#include <unordered_map>
#include <vector>
#include "loggia/user/contract.hpp"
#include "message_commands.hpp"

namespace loggia::chat {

using PeopleById = std::unordered_map<UserId, user::Person>;

class People {
 public:
  void connect(std::shared_ptr<user::Directory> directory) { directory_ = std::move(directory); }

  Async<PeopleById> get(Context context, std::vector<UserId> ids);
  /// Empty: the directory knows nobody like that, or they have gone.
  Async<std::string> name_of(Context context, UserId id);
  Async<std::vector<UserId>> blocked(Context context, UserId id);
  /// With the names of the peers of direct rooms.
  Async<std::vector<Room>> with_peers(Context context, std::vector<Room> rooms);
  Async<Room> with_peer(Context context, Room room);

 private:
  std::shared_ptr<user::Directory> directory_;
};

/// Fills in a peer whose id is known.
void name_peer(Peer& peer, const PeopleById& people);

}  // namespace loggia::chat
