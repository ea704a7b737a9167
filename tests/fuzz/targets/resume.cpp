// hello's `resume`: whatever positions a client claims, each room gets one answer, and no more is replayed than the limits say.
#include "realtime/resume.hpp"
#include <map>
#include "fuzz/target.hpp"
#include "loggia/kernel/json.hpp"

LOGGIA_FUZZ(resume) {
  using namespace loggia;
  using namespace loggia::fuzz;
  const auto standing = choice(input, 8);
  const auto resume = decode_text<realtime::Resume>(input, Manner::strict);
  if (!resume) return;
  chat::Hello hello;
  hello.epoch = standing & 1 ? "E" : resume->epoch;
  std::map<std::string, std::int64_t> last;
  if (resume->rooms) {
    std::int64_t number = 0;
    for (const auto& [text, seq] : *resume->rooms) {
      const auto id = RoomId::parse(text);
      if (!id || (++number % 4 == 0 && standing & 2)) continue;
      const auto ahead = number % 3 * (standing & 4 ? 400 : 7) - 1;
      const auto last_seq = ahead > 0 && seq > INT64_MAX - ahead ? seq : std::max<std::int64_t>(0, seq + ahead);
      if (last.emplace(id->text(), last_seq).second) hello.all.push_back({*id, last_seq});
    }
  }
  realtime::ResumeLimits limits;
  limits.room = 500;
  limits.total = 1200;
  const auto plan = realtime::plan_resume(*resume, hello, limits);
  std::int64_t total = 0;
  for (const auto& replay : plan.replays) {
    const auto found = last.find(replay.room.text());
    require(found != last.end(), "only what is theirs is replayed");
    require(resume->epoch == hello.epoch, "nothing is replayed of another epoch");
    const auto missed = found->second - replay.after;
    require(missed > 0 && missed <= limits.room, "a replay is of missed events, and of no more than the limit");
    total += missed;
  }
  require(total <= limits.total, "all replays together keep to the limit");
  for (const auto& reset : plan.resets) {
    const auto found = last.find(reset.room.text());
    require(found != last.end() && found->second == reset.last_seq, "a reset names the room's last number");
  }
  for (const auto& room : plan.absent) require(!last.contains(room.text()), "who is absent is not in the room");
  const auto claimed = resume->rooms ? resume->rooms->size() : 0;
  require(plan.replays.size() + plan.resets.size() + plan.absent.size() <= claimed, "a room gets at most one answer");
}
