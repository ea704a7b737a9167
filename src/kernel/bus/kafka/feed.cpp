#include "bus/kafka/feed.hpp"

namespace loggia::kafka {
namespace {

constexpr std::size_t events_max = 2000, bytes_max = 4u << 20;
std::size_t weight(const Event& event) { return sizeof(Event) + event.data->size(); }

}  // namespace

void KafkaFeed::Place::empty() {
  events.clear();
  bytes = 0;
  received = 0;
  rewind = false;
}

KafkaFeed::KafkaFeed(std::shared_ptr<bus::LogView> log, std::string topic, int partitions)
    : log_{std::move(log)}, topic_{std::move(topic)}, places_(static_cast<std::size_t>(partitions)) {}

bus::Page KafkaFeed::Place::page(std::size_t limit) const {
  bus::Page page;
  for (const auto& event : events) {
    if (page.events.size() == limit || (!page.events.empty() && event->sequence != page.events.back()->sequence + 1)) break;
    page.events.push_back(event);
  }
  if (!page.events.empty()) page.oldest = page.events.front()->sequence;
  return page;
}

Async<bus::Page> KafkaFeed::next(int partition, std::int64_t after, std::size_t limit) {
  auto& place = places_[static_cast<std::size_t>(partition)];
  std::int64_t behind_hole = 0;
  {
    const std::lock_guard lock(mutex_);
    place.asked = after;
    // It went on from there; set back to it again, it is read again.
    if (after != place.rewound_for && (after < place.rewound_for || after + 1 >= place.hole_end)) place.rewound_for = -1;
    while (!place.events.empty() && place.events.front()->sequence <= after) {
      place.bytes -= weight(*place.events.front());
      place.events.pop_front();
    }
    const auto first = place.events.empty() ? place.received + 1 : place.events.front()->sequence;
    if (first > after + 1 && place.rewound_for < 0) place.rewind = true;
    if (place.rewind || place.events.empty()) co_return bus::Page();
    if (first <= after + 1) co_return place.page(limit);
    place.hole_end = behind_hole = first;
  }
  // Kafka has no more of it: a tail that a broker has lost, or a topic that was filled again behind what came first. The log beside it may.
  auto kept = co_await log_->rows(topic_, partition, after, limit);
  if (!kept) co_return kept.error();
  std::erase_if(*kept, [&](const auto& event) { return event->sequence >= behind_hole; });
  bus::Page page;
  if (!kept->empty()) {
    page.oldest = kept->front()->sequence;
    page.events = std::move(*kept);
    co_return page;
  }
  // It is past the retention of both.
  const std::lock_guard lock(mutex_);
  if (place.rewind || place.events.empty() || place.events.front()->sequence != behind_hole) co_return page;  // changed meanwhile: a wake follows
  co_return place.page(limit);
}

void KafkaFeed::stored(int partition, std::int64_t position) {
  const std::lock_guard lock(mutex_);
  places_[static_cast<std::size_t>(partition)].done = position;
}

void KafkaFeed::begin(int partition, std::int64_t position) {
  const std::lock_guard lock(mutex_);
  auto& place = places_[static_cast<std::size_t>(partition)];
  place = Place();
  place.asked = place.done = position;
}

void KafkaFeed::end(int partition) {
  const std::lock_guard lock(mutex_);
  places_[static_cast<std::size_t>(partition)].empty();
}

bool KafkaFeed::put(int partition, EventPtr event) {
  const std::lock_guard lock(mutex_);
  auto& place = places_[static_cast<std::size_t>(partition)];
  // The relay begins again at what was acknowledged to it: its repeats are of events that came before.
  if (event->sequence <= place.received || place.rewind) return false;
  place.received = event->sequence;
  if (event->sequence <= place.asked) return false;
  place.bytes += weight(*event);
  place.events.push_back(std::move(event));
  return true;
}

bool KafkaFeed::full(int partition) const {
  const std::lock_guard lock(mutex_);
  const auto& place = places_[static_cast<std::size_t>(partition)];
  return place.events.size() >= events_max || place.bytes >= bytes_max;
}

bool KafkaFeed::roomy(int partition) const {
  const std::lock_guard lock(mutex_);
  const auto& place = places_[static_cast<std::size_t>(partition)];
  return place.events.size() <= events_max / 2 && place.bytes <= bytes_max / 2;
}

std::int64_t KafkaFeed::done(int partition) const {
  const std::lock_guard lock(mutex_);
  return places_[static_cast<std::size_t>(partition)].done;
}

bool KafkaFeed::wants_rewind(int partition) {
  const std::lock_guard lock(mutex_);
  return places_[static_cast<std::size_t>(partition)].rewind;
}

void KafkaFeed::rewound(int partition) {
  const std::lock_guard lock(mutex_);
  auto& place = places_[static_cast<std::size_t>(partition)];
  place.empty();
  place.rewound_for = place.asked;
  place.hole_end = 0;
}

}  // namespace loggia::kafka
