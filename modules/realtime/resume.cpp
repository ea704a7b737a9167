#include "resume.hpp"
#include <algorithm>
#include "loggia/kernel/mutant.hpp"

namespace loggia::realtime {

ResumePlan plan_resume(const Resume& resume, const chat::Hello& hello, const ResumeLimits& limits) {
  ResumePlan plan;
  if (!resume.rooms) return plan;
  std::unordered_map<RoomId, std::int64_t> last;
  for (const auto& position : hello.all) last.emplace(position.room, position.last_seq);
  struct Missed {
    RoomId room;
    std::int64_t after, last;
  };
  std::vector<Missed> missed;
  for (const auto& [text, seq] : *resume.rooms) {
    const auto id = RoomId::parse(text);
    if (!id) continue;
    const auto found = last.find(*id);
    if (found == last.end()) plan.absent.push_back(*id);
    else if (resume.epoch != hello.epoch) plan.resets.push_back({*id, found->second, "epoch"});
    else if (seq > found->second) plan.resets.push_back({*id, found->second, "ahead"});
    else if (found->second - seq > limits.room) plan.resets.push_back({*id, found->second, "too_many"});
    else if (seq < found->second) missed.push_back({*id, seq, found->second});
  }
  // The rooms with the fewest first, so that the total brings back as many rooms as it can.
  std::stable_sort(missed.begin(), missed.end(), [](const Missed& a, const Missed& b) { return a.last - a.after < b.last - b.after; });
  std::int64_t total = 0;
  for (const auto& one : missed) {
    const auto count = one.last - one.after;
    if (count > limits.total - total) plan.resets.push_back({one.room, one.last, "too_many"});
    else {
      total += count;
      plan.replays.push_back({one.room, LOGGIA_MUTANT_IS(resume_off_by_one) ? one.after + 1 : one.after});
    }
  }
  return plan;
}

}  // namespace loggia::realtime
