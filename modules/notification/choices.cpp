#include "choices.hpp"
#include <mutex>

namespace loggia::notification {

std::shared_ptr<const Chosen> Choices::of(const UserId& user) const {
  const std::shared_lock lock(mutex_);
  const auto found = all_.find(user);
  return found == all_.end() ? nullptr : found->second;
}

void Choices::count(const Chosen& chosen, int by) {
  if (chosen.level == Level::all) want_all_ += by;
  for (const auto& [room, level] : chosen.rooms) {
    if (level != Level::all) continue;
    const auto entry = want_room_.try_emplace(room, 0).first;
    entry->second += by;
    if (entry->second <= 0) want_room_.erase(entry);
  }
}

void Choices::set(const UserId& user, std::shared_ptr<const Chosen> chosen) {
  if (const auto before = all_.find(user); before != all_.end()) {
    count(*before->second, -1);
    all_.erase(before);
  }
  if (!chosen) return;
  count(*chosen, 1);
  all_.emplace(user, std::move(chosen));
}

void Choices::put(const UserId& user, std::shared_ptr<const Chosen> chosen) {
  const std::unique_lock lock(mutex_);
  if (reading_) put_meanwhile_.insert(user);
  set(user, std::move(chosen));
}

void Choices::begin_reading() {
  const std::unique_lock lock(mutex_);
  reading_ = true;
  put_meanwhile_.clear();
}

void Choices::replace(All read) {
  const std::unique_lock lock(mutex_);
  for (const auto& user : put_meanwhile_) {
    read.erase(user);
    if (const auto kept = all_.find(user); kept != all_.end()) read.insert(*kept);
  }
  all_ = std::move(read);
  want_all_ = 0;
  want_room_.clear();
  for (const auto& [user, chosen] : all_) count(*chosen, 1);
  reading_ = false;
  put_meanwhile_.clear();
}

void Choices::forget_room(const RoomId& room) {
  const std::unique_lock lock(mutex_);
  groups_.erase(room);
  for (auto& [user, chosen] : all_) {
    if (!chosen->rooms.contains(room)) continue;
    auto without = std::make_shared<Chosen>(*chosen);
    without->rooms.erase(room);
    chosen = std::move(without);
  }
  want_room_.erase(room);
}

bool Choices::may_interest(const RoomId& room) const {
  const std::shared_lock lock(mutex_);
  return want_all_ > 0 || want_room_.contains(room) || !groups_.contains(room);
}

void Choices::learn(const RoomId& room, bool direct) {
  if (direct) return;
  const std::unique_lock lock(mutex_);
  if (groups_.size() >= groups_max) groups_.clear();
  groups_.insert(room);
}

}  // namespace loggia::notification
