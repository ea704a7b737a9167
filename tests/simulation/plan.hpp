#pragma once
// What a seed stands for: how large the world is, who does what, what goes wrong. Each seed has some kinds of faults, not all of them:
// what hides behind one fault is seen where that one is missing.
#include "store.hpp"

namespace loggia::simulation {

struct Plan {
  explicit Plan(std::uint64_t seed);

  int users, clients, rooms, acts;
  std::size_t shards;
  std::int64_t queue_bytes, resume_limit, resume_total;
  Instant faults_end;  // from then on all is well, and within a minute everybody must know everything

  // Kinds of faults of this seed.
  bool crashes, restarts, commits, full, stops, jumps, log, cuts, stalls, contact, handlers;
  bool bulky;  // long texts and long stalls: more than a socket is handed ahead
  bool split;  // calls between realtime and chat are lost, doubled, delayed
  Slowness slowness;
  /// Per thousand, while faults last.
  int call_lost = 0, answer_lost = 0, call_doubled = 0, call_delayed = 0;
  int event_repeated = 0, event_lost = 0, event_delayed = 0;
};

}  // namespace loggia::simulation
