#pragma once
// Answers the contract `Rooms`. No state of its own; called on the caller's shard, from all shards at once.
#include "chat.hpp"

namespace loggia::chat {

class RoomService final : public Rooms {
 public:
  explicit RoomService(Chat& chat) : chat_{chat} {}
  using Rooms::on;
  Async<Room> on(Context context, CreateRoom request) override;
  Async<Outcome<Room>> on(Context context, OpenDirect request) override;
  Async<RoomList> on(Context context, ListRooms request) override;
  Async<Room> on(Context context, GetRoom request) override;
  Async<Room> on(Context context, UpdateRoom request) override;
  Async<Nothing> on(Context context, DeleteRoom request) override;
  Async<MemberList> on(Context context, ListMembers request) override;
  Async<Nothing> on(Context context, PutMember request) override;
  Async<Nothing> on(Context context, RemoveMember request) override;
  Async<Room> on(Context context, JoinRoom request) override;
  Async<Bans> on(Context context, ListBans request) override;
  Async<Nothing> on(Context context, BanMember request) override;
  Async<Nothing> on(Context context, Unban request) override;

 private:
  Chat& chat_;
};

/// Erases what a deletion left, command by command, so that the writer is never held long.
Async<Nothing> erase_rest(Chat* chat, Context context, RoomId room);

}  // namespace loggia::chat
