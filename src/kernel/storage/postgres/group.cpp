#include "storage/postgres/group.hpp"
#include <algorithm>

namespace loggia::postgres {

void Group::back_to(Mark mark) {
  after_.resize(mark.after);
  before_.resize(mark.before);
  while (order_.size() > mark.held) {  // what was locked since goes with the savepoint
    held_.erase(order_.back());
    order_.pop_back();
  }
}

void Group::run_before() {
  std::stable_sort(before_.begin(), before_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t at = 0; at < before_.size(); ++at)
    if (at == 0 || before_[at].first != before_[at - 1].first) before_[at].second(*this);
}

void Group::say(std::string_view sql) { connection_.send(sql, {}); }

void Group::flush() {}
void Group::settle() {
  flush();
  connection_.settle();
}

std::unique_ptr<Rows> Group::run(std::string_view sql, std::span<const Parameter> parameters) {
  if (!connection_.text_of(sql).reads) ++writes_;
  return connection_.select(sql, parameters);
}

Changes Group::change(std::string_view sql, std::span<const Parameter> parameters) {
  ++writes_;
  replies_.push_back(connection_.send(sql, parameters));
  return Changes(*this, static_cast<std::int64_t>(replies_.size()) - 1);
}

std::int64_t Group::changed(std::int64_t ticket) {
  auto& reply = *replies_.at(static_cast<std::size_t>(ticket));
  connection_.wait(reply);
  return reply.changed;
}

void Group::send_lock(const Lock& lock, bool wait) {
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(lock.first.data()), lock.first.size());
  const Parameter parameters[] = {lock.kind == Parameter::Kind::integer ? Parameter(lock.number)
                                  : lock.kind == Parameter::Kind::text  ? Parameter(lock.first)
                                                                        : Parameter(bytes)};
  connection_.send(lock.sql + (wait ? " FOR NO KEY UPDATE" : " FOR NO KEY UPDATE NOWAIT"),
                   std::span<const Parameter>(parameters, lock.kind == Parameter::Kind::any ? 0 : 1));
}

bool Group::hold(int rank, std::string_view sql, std::span<const Parameter> parameters) {
  Lock lock;
  lock.sql = sql;
  if (!parameters.empty()) {
    const auto& value = parameters.front().value();
    lock.kind = parameters.front().kind();
    if (const auto* number = std::get_if<std::int64_t>(&value)) lock.number = *number;
    if (const auto* text = std::get_if<std::string_view>(&value)) lock.first = *text;
    if (const auto* blob = std::get_if<std::span<const std::uint8_t>>(&value)) lock.first.assign(blob->begin(), blob->end());
  }
  // Numbers in their order too: from the highest byte down, the sign turned.
  auto place = lock.first;
  if (lock.kind == Parameter::Kind::integer)
    for (int shift = 56; shift >= 0; shift -= 8)
      place += static_cast<char>((static_cast<std::uint64_t>(lock.number) ^ (std::uint64_t{1} << 63)) >> shift & 0xFF);
  const LockOrder order(rank, std::move(place));
  if (held_.contains(order)) return false;
  send_lock(lock, patient_ || held_.empty() || *held_.rbegin() < order);
  wanted_.insert_or_assign(order, std::move(lock));
  held_.insert(order);
  order_.push_back(order);
  return true;
}

void Group::take(const Locks& locks) {
  for (const auto& [order, lock] : locks) {
    send_lock(lock, true);
    held_.insert(order);
    order_.push_back(order);
  }
  wanted_ = locks;
}

void Group::be_patient() {
  patient_ = true;
  say("SET LOCAL lock_timeout = 100");
}

}  // namespace loggia::postgres
