#pragma once
// Answers the contract `Live`: what realtime needs. The same rules as over HTTP, by the same commands, with the socket's answers. No
// state of its own; called on the caller's shard, from all shards at once.
#include "chat.hpp"

namespace loggia::chat {

class LiveService final : public Live {
 public:
  explicit LiveService(Chat& chat) : chat_{chat} {}
  using Live::on;
  Async<Sent> on(Context context, SendNow request) override;
  Async<SentInOrder> on(Context context, SendInOrder request) override;
  Async<Changed> on(Context context, EditNow request) override;
  Async<Changed> on(Context context, DeleteNow request) override;
  Async<Changed> on(Context context, ReactNow request) override;
  Async<Hello> on(Context context, GetHello request) override;
  Async<Cursor> on(Context context, GetCursor request) override;
  Async<Standing> on(Context context, GetStanding request) override;
  Async<Events> on(Context context, ReadTimeline request) override;
  Async<Absence> on(Context context, GetAbsence request) override;
  Async<Audience> on(Context context, GetAudience request) override;

 private:
  using Ready = std::vector<std::pair<std::size_t, Draft>>;  // nothing is to be asked any more; each with its place among the answers
  Async<Sent> post(Context context, Draft draft);
  boost::asio::awaitable<void> post_all(Context context, Ready ready, SentInOrder& out);
  Chat& chat_;
};

}  // namespace loggia::chat
