#pragma once
// What a `resume` is answered with, room by room (contract, section 3). Pure.
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>
#include "loggia/chat/contract.hpp"
#include "protocol.hpp"

namespace loggia::realtime {

struct ResumePlan {
  struct Replay {
    RoomId room;
    std::int64_t after = 0;
  };
  struct Reset {
    RoomId room;
    std::int64_t last_seq = 0;
    std::string why;
  };
  std::vector<Replay> replays;  // what was missed, fewest events first
  std::vector<Reset> resets;
  std::vector<RoomId> absent;  // not, or no longer, theirs
};

struct ResumeLimits {
  std::int64_t room = 1000, total = 10000;
};

/// Room ids that do not parse name no room: they are left out.
ResumePlan plan_resume(const Resume& resume, const chat::Hello& hello, const ResumeLimits& limits);

}  // namespace loggia::realtime
