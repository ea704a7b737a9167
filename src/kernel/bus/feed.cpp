#include "bus/feed.hpp"

namespace loggia::bus {

Async<Page> LogFeed::next(int partition, std::int64_t after, std::size_t limit) {
  Page page;
  const auto head = log_->head(topic_, partition);
  if (log_->from_tail(topic_, partition, after, limit, page.events)) co_return page;
  auto found = co_await log_->rows(topic_, partition, after, limit);
  if (!found) co_return found.error();
  page.events = std::move(*found);
  page.oldest = page.events.empty() ? head + 1 : page.events.front()->sequence;
  co_return page;
}

Async<EventPtr> one_of(std::shared_ptr<LogView> log, std::string topic, int partition, std::int64_t sequence) {
  auto found = co_await log->rows(std::move(topic), partition, sequence - 1, 1);
  if (!found) co_return found.error();
  co_return !found->empty() && found->front()->sequence == sequence ? std::move(found->front()) : EventPtr();
}

}  // namespace loggia::bus
