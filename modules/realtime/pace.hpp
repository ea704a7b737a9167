#pragma once
// At most one a second: of typing (the rest is dropped) and of receipts (the last one wins); and of a connection's requests. Pure.
#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia::realtime {

/// For each user of a room: the newest value at most once in `interval`.
template <class Value> class Pace {
 public:
  static constexpr milliseconds interval{1000};
  /// The value to send now; nothing where it waits for due().
  std::optional<Value> offer(const UserId& user, Value value, Moment now) {
    auto [entry, fresh] = entries_.try_emplace(user);
    if (!fresh && now - entry->second.sent < interval) {
      entry->second.waiting = std::move(value);
      return std::nullopt;
    }
    entry->second.sent = now;
    entry->second.waiting.reset();
    return value;
  }
  /// The same where what comes too early is dropped.
  bool pass(const UserId& user, Moment now) {
    auto [entry, fresh] = entries_.try_emplace(user);
    if (!fresh && now - entry->second.sent < interval) return false;
    entry->second.sent = now;
    return true;
  }
  /// What has waited long enough. Who has been quiet for an interval is forgotten.
  std::vector<std::pair<UserId, Value>> due(Moment now) {
    std::vector<std::pair<UserId, Value>> out;
    for (auto at = entries_.begin(); at != entries_.end();) {
      if (now - at->second.sent < interval) {
        ++at;
        continue;
      }
      if (!at->second.waiting) {
        at = entries_.erase(at);
        continue;
      }
      out.emplace_back(at->first, std::move(*at->second.waiting));
      at->second.waiting.reset();
      at->second.sent = now;
      ++at;
    }
    return out;
  }
  /// When due() has something to say.
  std::optional<Moment> next() const {
    std::optional<Moment> out;
    for (const auto& [user, entry] : entries_)
      if (entry.waiting && (!out || entry.sent + interval < *out)) out = entry.sent + interval;
    return out;
  }
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    Moment sent{};
    std::optional<Value> waiting;
  };
  std::unordered_map<UserId, Entry> entries_;
};

/// 100 requests a second, 200 at once.
class RequestLimit {
 public:
  static constexpr float rate = 100, burst = 200;
  static constexpr std::uint32_t patience = 1000;  // refusals in a row, then the connection ends
  bool take(Moment now) {
    if (at_ != Moment()) level_ = std::min(burst, level_ + rate * std::chrono::duration<float>(now - at_).count());
    at_ = now;
    if (level_ < 1) {
      ++refused_;
      return false;
    }
    level_ -= 1;
    refused_ = 0;
    return true;
  }
  bool far_beyond() const { return refused_ > patience; }

 private:
  Moment at_{};
  float level_ = burst;
  std::uint32_t refused_ = 0;
};

}  // namespace loggia::realtime
