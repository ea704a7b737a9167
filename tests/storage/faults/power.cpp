// Power cuts and kill -9 at any step of a store's life, and again while it recovers.
#include <cstdio>
#include "storage/faults/rooms.hpp"
#include "storage/faults/runs.hpp"

namespace loggia::faults {
namespace {

constexpr long cuts_of_a_life = 16;

/// What the clients know when all stops after `count` steps.
Requests known_at(const Requests& requests, std::size_t count) {
  Requests out = requests;
  std::erase_if(out, [&](const auto& one) { return one.second.sent_at > count; });
  for (auto& [key, request] : out) {
    if (request.promised_at > count) request.state = Request::State::sent;
    if (request.edited_at > count) request.version = 0;
  }
  return out;
}
/// The same where the history begins anew.
Requests known_before(Requests requests) {
  for (auto& [key, request] : requests) request.sent_at = request.promised_at = request.edited_at = 0;
  return requests;
}

void print(const char* title, const History& history) {
  static const char* const kinds[] = {"make", "erase", "write", "cut", "sync", "failed sync"};
  std::printf("%s\n", title);
  for (std::size_t at = 0; at < history.size(); ++at) {
    const auto& step = history[at];
    std::printf("  %4zu %s %d %s at %lld, %zu bytes%s\n", at + 1, kinds[static_cast<int>(step.kind)], step.file, step.name.c_str(),
                static_cast<long long>(step.at), step.bytes.size(), step.names_too ? ", names too" : "");
  }
}

struct Tally {
  long points = 0, in_checkpoint = 0, in_opening = 0, after_kill = 0, lost = 0, damaged = 0;
  std::size_t acknowledged = 0;
};

class Power {
 public:
  explicit Power(const Run& run) : run_{run}, first_(run.directory / "first"), second_(run.directory / "second"), copy_(run.directory / "copy") {}

  Tally run() {
    const auto from = run_.from / cuts_of_a_life, to = (run_.from + run_.points + cuts_of_a_life - 1) / cuts_of_a_life;
    for (long life = from; life < to && tally_.lost + tally_.damaged < 10; ++life) {
      one_life(life);
      if (run_.progress && tally_.points % 50000 < cuts_of_a_life) {
        std::printf("  %ld points, %ld lost, %ld damaged; go on with --from %ld\n", tally_.points, tally_.lost, tally_.damaged,
                    (life + 1) * cuts_of_a_life);
        std::fflush(stdout);
      }
    }
    return tally_;
  }

 private:
  void one_life(long number) {
    Chance chance(run_.seed * 1000003 + static_cast<std::uint64_t>(number));
    Requests requests;
    lay(Files(), first_);
    Disk::here().record(first_, {});
    History history;
    {
      Life life(first_, requests, 8 + static_cast<std::int64_t>(chance() % 40));
      for (auto left = 3 + chance() % 6; left > 0; --left) life.batch(chance, static_cast<int>(1 + chance() % 10));
      if (chance() % 2 == 0) life.close();  // its last checkpoint and the end of its log belong to the history
      history = Disk::here().stop_recording();
    }
    for (long cut = 0; cut < cuts_of_a_life; ++cut) {
      auto at = 1 + chance() % history.size();
      const auto kind = chance() % 8;
      // A process that ends between the last write of a commit and its sync leaves a commit that was never confirmed: half of them.
      if (kind == 7 && chance() % 2)
        while (at < history.size() && history[at].kind != Step::Kind::sync) ++at;
      if (history[at - 1].of_database) ++tally_.in_checkpoint;
      const auto where = std::to_string(number) + ", step " + std::to_string(at) + " of " + std::to_string(history.size());
      if (kind < 6) check(after_power_cut(history, at, chance), requests, at, "life " + where);
      else second_life(history, at, requests, kind == 6, chance, (kind == 6 ? "power cut in life " : "kill -9 in life ") + where);
    }
  }

  /// What was left is opened, used, and crashes too: the second time by a power cut.
  void second_life(const History& before, std::size_t at, const Requests& requests, bool power, Chance& chance, const std::string& where) {
    const auto files = power ? after_power_cut(before, at, chance) : in_cache(before, at);
    auto begun = power ? durable(files) : History(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(at));
    auto known = known_at(requests, at);
    if (power) known = known_before(std::move(known));
    else ++tally_.after_kill;
    const auto first_step = begun.size();
    lay(files, second_);
    Disk::here().record(second_, std::move(begun));
    History history;
    std::size_t opened = 0, resent = 0;
    {
      Life life(second_, known, 8 + static_cast<std::int64_t>(chance() % 40));
      if (!life.refused().empty()) return wrong("the store does not open: " + life.refused(), where);
      opened = Disk::here().steps();
      life.resend();
      resent = Disk::here().steps();
      life.batch(chance, 3);
      history = Disk::here().stop_recording();
    }
    const auto cut = chance() % 4 == 0 ? resent : first_step + chance() % (history.size() - first_step + 1);
    if (cut <= opened) ++tally_.in_opening;
    const auto before_wrong = tally_.lost + tally_.damaged;
    check(after_power_cut(history, cut, chance), known, cut,
          where + ", then a power cut at step " + std::to_string(cut) + " of " + std::to_string(history.size()));
    if (run_.trace && tally_.lost + tally_.damaged > before_wrong) {
      print("before", before);
      print("then", history);
    }
  }

  void check(const Files& files, const Requests& requests, std::size_t count, const std::string& where) {
    ++tally_.points;
    lay(files, copy_);
    if (const auto what = wrong_with(copy_, requests, count, &tally_.acknowledged); !what.empty()) wrong(what, where);
  }
  void wrong(const std::string& what, const std::string& where) {
    ++(what.starts_with("damaged") || what.starts_with("the store") ? tally_.damaged : tally_.lost);
    std::printf("  WRONG (seed %llu, %s): %s\n", static_cast<unsigned long long>(run_.seed), where.c_str(), what.c_str());
  }

  Run run_;
  std::filesystem::path first_, second_, copy_;
  Tally tally_;
};

}  // namespace

bool power_loss(const Run& run) {
  const auto tally = Power(run).run();
  std::printf(
      "power loss: %ld points (%ld inside a checkpoint, %ld while the store opened after a crash, %ld after kill -9), %zu acknowledged looked at, "
      "%ld lost or wrong, %ld corrupt; seed %llu, from %ld",
      tally.points, tally.in_checkpoint, tally.in_opening, tally.after_kill, tally.acknowledged, tally.lost, tally.damaged,
      static_cast<unsigned long long>(run.seed), run.from);
  return tally.lost + tally.damaged == 0 && tally.points > 0;
}

}  // namespace loggia::faults
