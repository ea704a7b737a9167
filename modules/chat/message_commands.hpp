#pragma once
// What people do with messages, each one command of the writer: rights, the room's number, the state, the event. What needs another
// module (who blocks whom) was asked before. On the store's writer thread only.
#include "loggia/kernel/ids.hpp"
#include "message_store.hpp"
#include "message_text.hpp"
#include "timeline.hpp"

namespace loggia::chat {

/// What commands work with.
struct Desk {
  Timeline& timeline;
  Ids& ids;
};

struct Draft {
  RoomId room;
  std::string text;  // normalised
  std::optional<std::string> client_id;
  std::optional<std::int64_t> reply_to;
  Mentions mentions;        // who of them is a member is decided in the command
  std::string fingerprint;  // of room, text, reply and attachments
};
struct Posted {
  Message message;
  bool created = true;
};
/// What was sent for before the group of commands ran (Database::write).
struct Foreseen {
  std::unique_ptr<Rows> earlier;
  std::uint64_t era = 0;
};
void foresee_message(Transaction& transaction, const Desk& desk, const Asker& asker, const Draft& draft, Foreseen& foreseen);
Result<Posted> post_message(Transaction& transaction, const Desk& desk, const Asker& asker, const Draft& draft, const Cause& cause,
                            Foreseen* foreseen = nullptr);

/// `seq`: the number that the change took; none where it changed nothing.
struct Edited {
  Message message;
  std::optional<std::int64_t> seq;
};
Result<Edited> edit_message(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, std::int64_t seq,
                            const std::string& text, const Mentions& mentions, const Cause& cause);
Result<Changed> delete_message(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, std::int64_t seq,
                               const Cause& cause);
Result<Changed> react(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, std::int64_t seq, const std::string& emoji,
                      bool on, const Cause& cause);
Result<Changed> pin(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, std::int64_t seq, bool on,
                    const Cause& cause);
Result<Nothing> mark_read(Transaction& transaction, const Desk& desk, const Asker& asker, const RoomId& room, std::int64_t seq, const Cause& cause);

}  // namespace loggia::chat
