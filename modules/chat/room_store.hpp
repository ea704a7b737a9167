#pragma once
// Rooms and who is, was, or must not be in them: the tables rooms, members, departures, bans. Plain functions on the store's threads.
#include <optional>
#include <vector>
#include "loggia/chat/contract.hpp"
#include "loggia/kernel/storage.hpp"
#include "room_policy.hpp"

namespace loggia::chat {

/// Who acts, as the rules know them.
struct Asker {
  UserId id;
  std::string username;
  bool admin = false, guest = false;
};
Asker asker_of(const Context& context);

/// A room as seen by one person: what every rule needs, in one row.
struct Entry {
  RoomId id;
  Kind kind = Kind::closed;
  bool archived = false;
  std::int64_t last_seq = 0, member_count = 0;
  Rank rank = Rank::none;
  std::int64_t joined_seq = 0, read_seq = 0;
};
/// None where there is no such room, or no more.
std::optional<Entry> find_entry(Query& query, const RoomId& room, const UserId& user);
/// The same in two steps: between them others can be sent for.
std::unique_ptr<Rows> select_entry(Query& query, const RoomId& room, const UserId& user);
std::optional<Entry> read_entry(Rows& rows, const RoomId& room);
/// Before a room is changed: its row is the lock of its numbers and its members, for every process that writes.
void lock_room(Transaction& transaction, const RoomId& room);
std::optional<Entry> find_entry(Transaction& transaction, const RoomId& room, const UserId& user);
/// The entry, if the rules allow the act.
Result<Entry> entry_for(Query& query, const RoomId& room, const Asker& asker, Act act);
Result<Entry> entry_for(Transaction& transaction, const RoomId& room, const Asker& asker, Act act);
Result<Entry> allowed_entry(std::optional<Entry> entry, const Asker& asker, Act act);

/// A description whose peer, in a direct room, has no names yet: they are asked of user, outside of the store.
Room describe(Query& query, const RoomId& room, const UserId& viewer);
/// The two people of a direct room; none where it is another kind, or unknown.
struct Pair {
  UserId first, second;
  UserId other(const UserId& one) const { return one == first ? second : first; }
};
std::optional<Kind> kind_of_room(Query& query, const RoomId& room, Pair& pair);
std::optional<RoomId> find_direct(Query& query, const Pair& pair);

struct NewRoom {
  RoomId id;
  Kind kind = Kind::closed;
  std::optional<std::string> name, topic;
  std::optional<Pair> pair;
  UserId by;
  Time at{};
};
Entry insert_room(Transaction& transaction, const NewRoom& room);
struct RoomEdit {
  std::optional<Kind> kind;
  std::optional<std::string> name, topic, retention;  // "" and "off": taken away
  std::optional<bool> archived;
};
void update_room(Transaction& transaction, const RoomId& room, const RoomEdit& edit);

struct MemberRow {
  UserId user;
  Rank rank = Rank::none;
  Time joined_at{};
  std::int64_t joined_seq = 0, read_seq = 0;
  Time read_at{};
};
Rank rank_in(Query& query, const RoomId& room, const UserId& user);
std::int64_t count_owners(Query& query, const RoomId& room);
/// The longest-serving of the highest rank beside `gone`; none where nobody is left.
std::optional<UserId> successor(Query& query, const RoomId& room);
std::vector<MemberRow> members_after(Query& query, const RoomId& room, std::int64_t joined_seq, std::int64_t limit);
std::vector<RoomId> rooms_of(Query& query, const UserId& user);

/// `taken`: the number and change of the event that says so.
struct Taken {
  std::int64_t seq = 0, change = 0;
};
void insert_member(Transaction& transaction, Entry& room, const UserId& user, Rank rank, Time at, const Taken& taken);
void set_rank(Transaction& transaction, const RoomId& room, const UserId& user, Rank rank, const Taken& taken);
void remove_member(Transaction& transaction, Entry& room, const UserId& user, std::string_view why, const Taken& taken);

bool banned(Query& query, const RoomId& room, const UserId& user);
bool insert_ban(Transaction& transaction, const RoomId& room, const UserId& user, const UserId& by, Time at, std::int64_t number);
void remove_ban(Transaction& transaction, const RoomId& room, const UserId& user);
struct BanRow {
  UserId user;
  std::optional<UserId> by;
  Time at{};
  std::int64_t number = 0;
};
std::vector<BanRow> bans_after(Query& query, const RoomId& room, std::int64_t number, std::int64_t limit);

/// Nothing of the room is left but that it was; its texts go by erase_some.
void forget_room(Transaction& transaction, const RoomId& room, const Taken& taken);

/// Rooms with their place in the order of lists, newest first.
struct Listed {
  Room room;
  std::int64_t changed = 0;
};
std::vector<Listed> my_rooms(Query& query, const UserId& user, const std::string& part, std::int64_t before, std::int64_t limit);
std::vector<Listed> public_rooms(Query& query, const Asker& asker, const std::string& part, const std::optional<RoomId>& before, std::int64_t limit);

}  // namespace loggia::chat
