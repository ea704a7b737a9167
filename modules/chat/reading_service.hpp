#pragma once
// Answers the contracts `Reading` and `Audiences`. No state of its own; called on the caller's shard, from all shards at once.
#include "chat.hpp"

namespace loggia::chat {

class ReadingService final : public Reading {
 public:
  explicit ReadingService(Chat& chat) : chat_{chat} {}
  using Reading::on;
  Async<Nothing> on(Context context, MarkRead request) override;
  Async<Receipts> on(Context context, GetReceipts request) override;
  Async<Events> on(Context context, GetEvents request) override;

 private:
  Chat& chat_;
};

class AudienceService final : public Audiences {
 public:
  explicit AudienceService(Chat& chat) : chat_{chat} {}
  using Audiences::on;
  Async<Recipients> on(Context context, GetRecipients request) override;
  Async<Attention> on(Context context, GetAttention request) override;

 private:
  Chat& chat_;
};

}  // namespace loggia::chat
