#include "bus/feed.hpp"

namespace loggia::bus {

Async<Page> LogFeed::next(int partition, std::int64_t after, std::size_t limit) {
  Page page;
  const auto head = log_->head(topic_, partition);
  if (log_->from_tail(topic_, partition, after, limit, page.events)) co_return page;
  Context context;
  auto work = [log = log_, topic = topic_, partition, after, limit](Query& query) -> Result<std::vector<EventPtr>> {
    return log->from_rows(query, topic, partition, after, limit);
  };
  auto rows = co_await log_->store()->read(context, std::move(work));
  if (!rows) co_return rows.error();
  page.events = std::move(*rows);
  page.oldest = page.events.empty() ? head + 1 : page.events.front()->sequence;
  co_return page;
}

Async<EventPtr> LogFeed::look_up(int partition, std::int64_t sequence) {
  Context context;
  auto work = [log = log_, topic = topic_, partition, sequence](Query& query) -> Result<EventPtr> {
    auto rows = log->from_rows(query, topic, partition, sequence - 1, 1);
    return !rows.empty() && rows.front()->sequence == sequence ? std::move(rows.front()) : EventPtr();
  };
  auto found = co_await log_->store()->read(context, std::move(work));
  if (!found) co_return found.error();
  co_return std::move(*found);
}

}  // namespace loggia::bus
