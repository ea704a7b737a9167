// What `loggia topics` asks of a group: how far it is, and to begin again.
#include <algorithm>
#include "bus/event.hpp"
#include "bus/group.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::bus {

std::vector<TopicLag> Group::lag() const {
  std::vector<TopicLag> out;
  const auto heads = feed_->heads();
  auto read = subscription_.store->read_now([&](Query& query) -> Result<std::vector<TopicLag>> {
    std::vector<TopicLag> found;
    for (std::size_t at = 0; at < heads.size(); ++at) {
      TopicLag row;
      row.topic = subscription_.topic;
      row.group = subscription_.group;
      row.partition = static_cast<int>(at);
      row.head = heads[at];
      auto position =
          query.select("SELECT position FROM log_position WHERE topic = ?1 AND producer = ?2 AND partition = ?3", row.topic, feed_->producer(), at);
      if (position->next()) row.position = position->integer(0);
      if (started_ && !pumps_[at]->moved) row.position = std::max(row.position, pumps_[at]->position.load());
      auto dead =
          query.select("SELECT count(*) FROM dead_letter WHERE topic = ?1 AND producer = ?2 AND partition = ?3", row.topic, feed_->producer(), at);
      if (dead->next()) row.dead_letters = static_cast<std::size_t>(dead->integer(0));
      if (row.head > 0 || row.position > 0) found.push_back(std::move(row));
    }
    return found;
  });
  return read ? std::move(*read) : out;
}

Result<std::int64_t> Group::replay(std::int64_t from, int partition) {
  const auto heads = feed_->heads();
  const auto before = std::max<std::int64_t>(0, from - 1);
  std::int64_t again = 0;
  auto done = subscription_.store->write_now([&](Transaction& transaction) -> Result<bool> {
    for (std::size_t at = 0; at < heads.size(); ++at) {
      if (partition >= 0 && static_cast<std::size_t>(partition) != at) continue;
      if (heads[at] <= before) continue;
      const auto set_back =
          transaction.execute("UPDATE log_position SET position = ?4 WHERE topic = ?1 AND producer = ?2 AND partition = ?3 AND position > ?4",
                              subscription_.topic, feed_->producer(), at, before) > 0;
      if (set_back || pumps_[at]->position > before) again += heads[at] - before;
    }
    return true;
  });
  if (!done) return done.error();
  // A pump at work learns it from the fence, or here, once it is done: it reads its position again.
  for (std::size_t at = 0; at < pumps_.size(); ++at) {
    if ((partition >= 0 && static_cast<std::size_t>(partition) != at) || heads[at] <= before) continue;
    look_again(static_cast<int>(at));
  }
  return again;
}

Result<std::int64_t> Group::replay_dead_letters() {
  if (!started_) return Error(Errc::unavailable, "events that were set aside are handled by a running server: start it, then repeat");
  auto count = subscription_.store->read_now([&](Query& query) -> Result<std::int64_t> {
    auto rows = query.select("SELECT count(*) FROM dead_letter WHERE topic = ?1 AND producer = ?2", subscription_.topic, feed_->producer());
    return rows->next() ? rows->integer(0) : 0;
  });
  if (count && *count > 0) tasks_.spawn(options_.shards->executor(0), "group.dead_letters", retry_dead_letters());
  return count;
}

namespace {

struct Letter {
  std::int64_t number = 0, sequence = 0;
  int partition = 0;
  std::string event;
};

std::vector<Letter> letters_of(Query& query, const std::string& topic, const std::string& producer) {
  std::vector<Letter> found;
  auto rows =
      query.select("SELECT number, sequence, partition, event FROM dead_letter WHERE topic = ?1 AND producer = ?2 ORDER BY number", topic, producer);
  while (rows->next()) {
    Letter letter;
    letter.number = rows->integer(0);
    letter.sequence = rows->integer(1);
    letter.partition = static_cast<int>(rows->integer(2));
    letter.event = rows->string(3);
    found.push_back(std::move(letter));
  }
  return found;
}

/// As it was kept, for where the log has it no more.
Result<EventPtr> as_kept(const std::string& topic, const Letter& letter) {
  auto kept = from_cloud_event(letter.event);
  if (!kept) return kept.error();
  (*kept)->topic = topic;
  (*kept)->partition = letter.partition;
  (*kept)->sequence = letter.sequence;
  return EventPtr(std::move(*kept));
}

}  // namespace

boost::asio::awaitable<void> Group::retry_dead_letters() {
  Context context;
  auto list = [topic = subscription_.topic, producer = feed_->producer()](Query& query) -> Result<std::vector<Letter>> {
    return letters_of(query, topic, producer);
  };
  auto letters = co_await subscription_.store->read(context, std::move(list));
  if (!letters) co_return;
  for (auto& letter : *letters) {
    if (stopping_) co_return;
    const auto number = letter.number;
    auto now = co_await feed_->look_up(letter.partition, letter.sequence);
    if (!now) continue;
    auto event = *now ? Result<EventPtr>(std::move(*now)) : as_kept(subscription_.topic, letter);
    if (!event) continue;
    auto apply = co_await handled(std::move(*event));
    auto why = apply ? std::string() : apply.error().detail;
    if (apply) {
      auto work = [apply = std::move(*apply), number](Transaction& transaction) -> Result<bool> {
        if (apply)
          if (auto done = apply(transaction); !done) return done.error();
        transaction.execute("DELETE FROM dead_letter WHERE number = ?1", number);
        return true;
      };
      auto done = co_await subscription_.store->write(context, std::move(work));
      if (done) continue;
      why = done.error().detail;
    }
    log::warn("group.dead_letter_refused_again", Field("group", subscription_.group), Field("sequence", letter.sequence), Field("why", why));
  }
}

}  // namespace loggia::bus
