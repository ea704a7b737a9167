#pragma once
// What people do with rooms and with each other in them, each one command of the writer (see message_commands.hpp, which has Desk).
#include "message_commands.hpp"

namespace loggia::chat {

/// Somebody as the directory knows them; without a name it knows nobody like that.
struct Target {
  UserId id;
  std::string username;
  bool known() const { return !username.empty(); }
};
struct NewMembers {
  std::vector<Target> people;  // known, without the creator, each once
};
Result<Room> create_room(Transaction& transaction, const Desk& desk, const Asker& asker, const NewRoom& room, const NewMembers& members,
                         const Cause& cause);
/// The one direct room of a pair: made, or found.
Result<Outcome<Room>> open_direct(Transaction& transaction, const Desk& desk, const Asker& asker, const Target& other, const Cause& cause);
Result<Room> change_room(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, const RoomEdit& edit,
                         const Cause& cause);
/// Gone at once; what `erase_some` leaves is erased in later commands: true while there is more.
Result<bool> delete_room(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, const Cause& cause);
bool erase_some(Transaction& transaction, const Desk& desk, const RoomId& room);
std::vector<RoomId> rooms_to_erase(Query& query);

Result<Room> join_room(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, const Cause& cause);
Result<Nothing> put_member(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, const Target& target,
                           std::optional<Rank> rank, const Cause& cause);
Result<Nothing> take_member(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, const UserId& target,
                            const Cause& cause);
Result<Nothing> ban_member(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, const Target& target,
                           const Cause& cause);
Result<Nothing> unban(Transaction& transaction, const Asker& asker, const RoomId& room, const UserId& target);
/// An account is gone: it leaves its rooms, and where it was the last owner, another follows.
void forget_person(Transaction& transaction, const Desk& desk, const UserId& person, Time at, const std::string& traceparent);

}  // namespace loggia::chat
