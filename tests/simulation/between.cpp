#include "between.hpp"

namespace loggia::simulation {

bool Relay::empty() const {
  for (const auto& way : ways_)
    if (!way.waiting.empty()) return false;
  return true;
}

void Relay::follow(std::string topic, std::function<void(const EventPtr&)> handler) {
  auto& way = ways_.emplace_back();
  way.handler = std::move(handler);
  bus_->follow(std::move(topic), [this, &way](const EventPtr& event) { arrived(way, event); });
}

void Relay::arrived(Way& way, const EventPtr& event) {
  if (!chance_.plan.log || event->sequence == 0) return way.handler(event);
  const bool late = machine_->loop.now() < away_until_ || chance_.of(chance_.plan.event_delayed);
  if (way.waiting.empty() && !late) return pass(way, event);
  way.waiting.push_back(event);
  schedule(way, chance_.dice.between(1, 200) * ms);
}

void Relay::schedule(Way& way, Instant delay) {
  if (std::exchange(way.scheduled, true)) return;
  machine_->later(delay, machine_->thread(Machine::bus), Work([this, &way] {
                    way.scheduled = false;
                    flow(way);
                  }));
}

void Relay::flow(Way& way) {
  if (machine_->loop.now() < away_until_) return schedule(way, away_until_ - machine_->loop.now());
  while (!way.waiting.empty()) {
    const auto event = std::move(way.waiting.front());
    way.waiting.pop_front();
    pass(way, event);
  }
}

// In the order of its partition, as any log has it. Who reads at least once may go back some events and begin again from there.
void Relay::pass(Way& way, const EventPtr& event) {
  constexpr std::size_t kept = 4;
  auto& passed = way.passed[event->partition];
  passed.push_back(event);
  if (passed.size() > kept) passed.pop_front();
  // No transport of ours loses events. That a gap is noticed is shown with those that a reader's position tells of: of a lost
  // member.joined in a room that nobody here reads, nobody could know.
  const bool may_miss = event->type.starts_with("message.") || event->type.starts_with("reaction.");
  if (!may_miss || !chance_.of(chance_.plan.event_lost)) way.handler(event);
  if (!chance_.of(chance_.plan.event_repeated)) return;
  const auto back = static_cast<std::size_t>(chance_.dice.between(1, static_cast<std::int64_t>(passed.size())));
  for (auto at = passed.size() - back; at < passed.size(); ++at) way.handler(passed[at]);
}

}  // namespace loggia::simulation
