#include "plan.hpp"

namespace loggia::simulation {

Plan::Plan(std::uint64_t seed) {
  Dice dice(seed * 0x5851f42d4c957f2dull + 1);
  users = static_cast<int>(dice.between(2, 4));
  clients = users + static_cast<int>(dice.between(0, 2));
  rooms = static_cast<int>(dice.between(1, 3));
  acts = static_cast<int>(dice.between(10, 30));
  shards = static_cast<std::size_t>(dice.between(1, 3));
  constexpr std::int64_t queues[] = {4096, 4096, 16384, 1 << 20}, limits[] = {5, 1000, 1000}, totals[] = {12, 10000, 10000};
  queue_bytes = queues[dice.below(4)];
  resume_limit = limits[dice.below(3)];
  resume_total = totals[dice.below(3)];
  faults_end = dice.between(6, 22) * second;
  crashes = dice.chance(500);
  restarts = dice.chance(200);
  commits = dice.chance(300);
  full = dice.chance(200);
  stops = dice.chance(200);
  jumps = dice.chance(300);
  log = dice.chance(400);
  cuts = dice.chance(600);
  stalls = dice.chance(400);
  contact = dice.chance(200);
  handlers = dice.chance(500);
  split = dice.chance(400);
  bulky = stalls && dice.chance(150);
  slowness.commits = dice.chance(500) ? static_cast<int>(dice.below(300)) : 0;
  slowness.answers = dice.chance(500) ? static_cast<int>(dice.below(500)) : 0;
  if (split) {
    call_lost = static_cast<int>(dice.below(80));
    answer_lost = static_cast<int>(dice.below(80));
    call_doubled = static_cast<int>(dice.below(80));
    call_delayed = static_cast<int>(dice.below(500));
  }
  if (log) {
    event_repeated = static_cast<int>(dice.below(200));
    event_lost = static_cast<int>(dice.below(100));
    event_delayed = static_cast<int>(dice.below(300));
  }
}

}  // namespace loggia::simulation
