#pragma once
// Answers the contract `Messages`, and the sending half of `Live`: both follow the same rules by the same commands. No state of its
// own; called on the caller's shard, from all shards at once.
#include "chat.hpp"

namespace loggia::chat {

class MessageService final : public Messages {
 public:
  explicit MessageService(Chat& chat) : chat_{chat} {}
  using Messages::on;
  Async<MessageList> on(Context context, ListMessages request) override;
  Async<Outcome<Message>> on(Context context, PostMessage request) override;
  Async<Message> on(Context context, GetMessage request) override;
  Async<Message> on(Context context, EditMessage request) override;
  Async<Nothing> on(Context context, DeleteMessage request) override;
  Async<Nothing> on(Context context, AddReaction request) override;
  Async<Nothing> on(Context context, RemoveReaction request) override;
  Async<MessageList> on(Context context, ListPins request) override;
  Async<Nothing> on(Context context, AddPin request) override;
  Async<Nothing> on(Context context, RemovePin request) override;

 private:
  Chat& chat_;
};

/// What PostMessage, SendNow and SendItem have in common: the text checked and mentions found; then, where somebody has to be asked for it, a block
/// ruled out and many names looked up. Most sends need no asking, and no coroutine for it.
struct Sending {
  RoomId room;
  std::string text;
  std::optional<std::string> client_id;
  std::optional<std::int64_t> reply_to;
  std::optional<std::vector<std::string>> attachments;
};
template <class R> Sending sending_of(const RoomId& room, R request) {
  Sending out;
  out.room = room;
  out.text = std::move(request.text);
  out.client_id = std::move(request.client_id);
  out.reply_to = request.reply_to;
  if constexpr (requires { request.attachments; }) out.attachments = std::move(request.attachments);
  return out;
}
Result<Draft> drafted(const Chat& chat, Sending sending);
bool needs_asking(const Chat& chat, const Draft& draft);
Async<Draft> asked_for(Chat* chat, Context context, Draft draft);
/// A new text for a message, checked in the same way.
struct Rewording {
  std::string text;
  Mentions mentions;
};
Async<Rewording> reworded(Chat* chat, Context context, RoomId room, std::string text);
Async<Changed> react_now(Chat* chat, Context context, RoomId room, std::int64_t seq, std::string emoji, bool on);
Async<Changed> delete_now(Chat* chat, Context context, RoomId room, std::int64_t seq);

}  // namespace loggia::chat
