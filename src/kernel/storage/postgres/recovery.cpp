// What becomes of a writer whose connection or whose disk fails: made anew, looked up, tried again.
#include <algorithm>
#include "loggia/kernel/log.hpp"
#include "storage/postgres/writer.hpp"

namespace loggia::postgres {

void Backoff::failed() {
  delay_ = std::clamp(delay_ * 2, milliseconds(100), milliseconds(5000));
  next_ = clock_->moment() + delay_ + milliseconds(static_cast<std::int64_t>(random_->below(static_cast<std::uint64_t>(delay_.count()) / 4)));
}

/// True with a connection; what was in doubt is known then.
bool Writer::connect() {
  try {
    connection_ = std::make_unique<Connection>(options_.target);
    if (doubt_) look_up();
    backoff_.succeeded();
    if (!connected_.exchange(true)) log::info("storage.connected_again", Field("store", options_.target.name));
    return true;
  } catch (const Failure& failure) {
    disconnect(failure.what());
    backoff_.failed();
    return false;
  }
}

void Writer::disconnect(const std::string& why) {
  connection_.reset();
  if (connected_.exchange(false)) log::error("storage.connection_lost", Field("store", options_.target.name), Field("why", why));
}

/// The truth about the group in doubt, of a server that answers. It waits for the old transaction to end, where that has come to its number: the
/// row is locked by it. Where it has not, it may still be on its way, so the number behind its own bars it: it cannot commit any more. Throws where
/// it does not learn; whoever asks again then, hears the same.
Writer::Truth Writer::look_up() {
  const Parameter parameters[] = {Parameter(id_), Parameter(doubt_->number + 1), Parameter(options_.real->now()), Parameter(doubt_->number)};
  const auto rows = connection_->select(
      "INSERT INTO kernel_writer(id, number, at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE "
      "SET number = CASE WHEN kernel_writer.number < ?4 THEN excluded.number ELSE kernel_writer.number END, at = excluded.at RETURNING number",
      parameters);
  connection_->settle();
  const auto found = rows->next() ? rows->integer(0) : 0;
  const auto doubt = std::move(*doubt_);
  doubt_.reset();
  const bool there = found == doubt.number;
  number_ = std::max(number_, found);
  barred_ = barred_ || !there;
  log::warn("storage.commit_looked_up", Field("store", options_.target.name), Field("committed", there));
  if (there)
    for (const auto& action : doubt.after) action();
  return there ? Truth::committed : Truth::undone;
}

/// For a while. Later connect() looks it up, so that what is in memory says what is stored.
Writer::Truth Writer::find_out() {
  const auto end = options_.real->moment() + options_.doubt;
  for (;;) {
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, milliseconds(50), [this] { return closing_; })) return Truth::unknown;
    lock.unlock();
    if (options_.real->moment() >= end) return Truth::unknown;
    if (!backoff_.due()) continue;
    try {
      connection_ = std::make_unique<Connection>(options_.target);
      const auto truth = look_up();
      backoff_.succeeded();
      if (!connected_.exchange(true)) log::info("storage.connected_again", Field("store", options_.target.name));
      return truth;
    } catch (const Failure& failure) {
      disconnect(failure.what());
      backoff_.failed();
    }
  }
}

/// Whether there is room again: a write of the size of a few messages that leaves nothing behind.
void Writer::probe() {
  probed_ = options_.clock->moment();
  try {
    connection_->send("BEGIN", {});
    connection_->send("INSERT INTO kernel_value(name, value) VALUES ('storage.probe', repeat('x', 262144))", {});
    connection_->send("DELETE FROM kernel_value WHERE name = 'storage.probe'", {});
    connection_->send("COMMIT", {});
    connection_->settle();
    full_.store(false);
    log::info("storage.writable_again", Field("store", options_.target.name));
  } catch (const Failure&) {
    try {
      roll_back();
    } catch (const Failure& failure) {
      disconnect(failure.what());
    }
  }
}

}  // namespace loggia::postgres
