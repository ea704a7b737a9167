#include "bus/feed.hpp"

namespace loggia::bus {

Async<Page> LogFeed::next(int partition, std::int64_t after, std::size_t limit) {
  Page page;
  const auto head = log_->head(topic_, partition);
  if (log_->from_tail(topic_, partition, after, limit, page.events)) co_return page;
  auto found = co_await rows(partition, after, limit);
  if (!found) co_return found.error();
  page.events = std::move(*found);
  page.oldest = page.events.empty() ? head + 1 : page.events.front()->sequence;
  co_return page;
}

Async<std::vector<EventPtr>> LogFeed::rows(int partition, std::int64_t after, std::size_t limit) {
  Context context;
  auto work = [log = log_, topic = topic_, partition, after, limit](Query& query) -> Result<std::vector<EventPtr>> {
    return log->from_rows(query, topic, partition, after, limit);
  };
  co_return co_await log_->store()->read(context, std::move(work));
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
