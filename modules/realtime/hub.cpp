#include "hub.hpp"
#include "node.hpp"
#include "protocol.hpp"

namespace loggia::realtime {

Numbers::Numbers(Metrics& metrics)
    : connections{metrics.gauge("loggia_realtime_connections", "Open connections of loggia.v1.", Labels())},
      frames{metrics.counter("loggia_realtime_frames_total", "Timeline frames queued for readers.", Labels())},
      drops{metrics.counter("loggia_realtime_queue_drops_total", "Queues of slow readers that were dropped to be fed from the log.", Labels())},
      resumes{metrics.counter("loggia_realtime_resumes_total", "Connections that resumed.", Labels())},
      resets{metrics.counter("loggia_realtime_resets_total", "Rooms that a resume answered with room.reset.", Labels())},
      gaps{metrics.counter("loggia_realtime_gaps_total", "Gaps in a room's order that were filled from chat.", Labels())} {
  for (const int code : code::all)
    closed[code] = &metrics.counter("loggia_realtime_closed_total", "Connections that the server closed, by close code.",
                                    Labels{{"code", std::to_string(code)}});
}

void Hub::make_nodes() {
  for (std::size_t shard = 0; shard < shards->size(); ++shard) nodes.push_back(std::make_shared<Node>(*this, shard));
}

Context Hub::context() const {
  Caller caller;
  caller.module = "realtime";
  return Context(new_trace(*random), clock->moment() + std::chrono::seconds(30)).as(std::move(caller));
}

}  // namespace loggia::realtime
