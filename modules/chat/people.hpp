#pragma once
// What chat asks the user module: names for lists, who is meant by @name, who blocks whom. Used on the caller's shard, from all
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
  /// Whether the directory knows somebody who has not gone.
  Async<bool> known(Context context, UserId id);
  /// Whom a text names, in its order; members or not.
  Async<Named> named(Context context, std::string text);
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
