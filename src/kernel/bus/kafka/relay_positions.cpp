// How far the relay has come, in the stores of its logs.
#include <algorithm>
#include <utility>
#include "bus/kafka/relay.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::kafka {
namespace {

// What another process forgets is read before that one makes the topic: Cluster waits for twice as long.
constexpr milliseconds store_every(250), read_every(350);

void not_stored(const bus::LogHere& log, const Error& why) {
  log::warn("kafka.relay_position_not_stored", Field("store", log.store()->name()), Field("why", why.detail));
}

}  // namespace

/// From the cluster's thread, or the relay's. Not of this process's lanes alone: another may relay, or none yet.
Result<bool> Relay::forget(const std::set<std::string>& names) {
  bool others = false;
  for (const auto& log : logs_) {
    std::set<std::string> topics;
    for (const auto& topic : log->topics())
      if (names.contains(cluster_->name_of(topic))) topics.insert(topic);
    if (topics.empty()) continue;
    auto gone = log->store()->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
      std::int64_t rows = 0;
      for (const auto& topic : topics) rows += transaction.execute("DELETE FROM log_relay WHERE topic = ?1", topic);
      return rows;
    });
    if (!gone) {
      not_stored(*log, gone.error());
      return gone.error();
    }
    others = others || (*gone > 0 && log->store()->shared());
  }
  read_again_ = true;
  wake();
  return others;
}

/// Where this process does not relay, to tell the lag; where it does, whether its topics are still those that it knows.
void Relay::look_at_positions() {
  if (storing_ > 0) return;  // a position that is on its way to the store would be written into a row that was put back
  if (!gone_.empty() && cluster_->usable()) {
    // Deleted, and made by whomever.
    if (!forget(gone_)) return;
    gone_.clear();
  }
  const auto now = options_.clock->moment();
  const bool due = now - read_at_ >= read_every && (shares_a_store() || unread_);
  if (!read_again_.exchange(false) && !due) return;
  read_at_ = now;
  unread_ = !read_positions(nullptr);
}

/// Of all lanes; or of the log alone whose claim, `taken`, is ours since just now. A store that is away holds up no other.
Result<bool> Relay::read_positions(const Claim* taken) {
  Result<bool> all = true;
  for (std::size_t at = 0; at < logs_.size(); ++at)
    if (!taken || taken == claims_[at].get())
      if (auto read = read_positions(*logs_[at], taken != nullptr); !read) all = std::move(read);
  return all;
}

Result<bool> Relay::read_positions(bus::LogHere& log, bool taken) {
  std::map<std::pair<std::string, int>, std::int64_t> rows;
  auto read = log.store()->read_now([&](Query& query) -> Result<bool> {
    auto found = query.select("SELECT topic, partition, position FROM log_relay");
    while (found->next()) rows[{found->string(0), static_cast<int>(found->integer(1))}] = found->integer(2);
    return true;
  });
  if (!read) return read;
  std::vector<const Lane*> absent;
  for (const auto& lane : lanes_) {
    if (lane->log != &log) continue;
    const auto row = rows.find({lane->topic, lane->partition});
    const bool there = row != rows.end(), ours = lane->claim->ours();
    lane->stored = there ? row->second : 0;
    if (ours && !there) absent.push_back(lane.get());
    if (ours && !taken && there) continue;
    if (ours && !taken && lane->sent > 0) {
      failed_ = lane->failed = true;  // what is on its way belongs to the topic that was
      log::info("kafka.topic_filled_again", Field("topic", lane->name), Field("partition", lane->partition),
                Field("events", lane->acknowledged.load()));
    }
    lane->acknowledged = lane->sent = lane->stored.load();
  }
  if (absent.empty()) return true;
  auto back = log.store()->write_now([&](Transaction& transaction) -> Result<bool> {
    for (const auto* lane : absent)
      transaction.execute("INSERT INTO log_relay(topic, partition, position) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING", lane->topic,
                          lane->partition);
    return true;
  });
  if (!back) not_stored(log, back.error());
  return back;
}

/// Each costs its store a commit, so a few times a second at most: what was relayed since then is relayed again after a crash.
void Relay::store_positions(bool last) {
  const auto now = options_.clock->moment();
  if (!last && (storing_ > 0 || now - stored_at_ < store_every)) return;
  stored_at_ = now;
  for (const auto& log : logs_) {
    std::vector<Moved> moved;
    for (const auto& lane : lanes_)
      if (lane->log == log.get() && lane->claim->ours() && lane->acknowledged > lane->stored)
        moved.push_back({lane.get(), lane->stored, lane->acknowledged});
    if (moved.empty()) continue;
    if (last) {
      auto done = log->store()->write_now([&](Transaction& transaction) { return put(transaction, moved); });
      if (!done) not_stored(*log, done.error());
    } else {
      ++storing_;
      tasks_.spawn(options_.shards->executor(0), "kafka.relay_position", store(log.get(), std::move(moved)));
    }
  }
}

/// From where each was known to be: a row that is gone, or that another process has moved, stays as it is. True: all were there.
Result<bool> Relay::put(Transaction& transaction, const std::vector<Moved>& moved) {
  bool all = true;
  for (const auto& [lane, from, to] : moved)
    all = transaction.execute("UPDATE log_relay SET position = ?4 WHERE topic = ?1 AND partition = ?2 AND position = ?3", lane->topic,
                              lane->partition, from, to) == 1 &&
          all;
  return all;
}

boost::asio::awaitable<void> Relay::store(bus::LogHere* log, std::vector<Moved> moved) {
  const Context context;
  auto self = shared_from_this();
  auto work = [moved](Transaction& transaction) { return put(transaction, moved); };
  auto done = co_await log->store()->write(context, std::move(work));
  if (!done) not_stored(*log, done.error());
  else
    for (const auto& one : moved) one.lane->stored = one.to;
  if (!done || !*done) read_again_ = true;
  --storing_;
}

}  // namespace loggia::kafka
