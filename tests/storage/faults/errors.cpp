// Calls and allocations that fail at their N-th time, for rising N. What was promised is there, what was denied is not, what is called
// unknown is either; nothing is damaged; and after a commit that failed nothing is promised any more.
#include <sqlite3.h>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include "storage/faults/rooms.hpp"
#include "storage/faults/runs.hpp"

namespace loggia::faults {
namespace {

struct Way {
  const char* name;
  Fault::Kind kind;
  bool for_ever;
};
constexpr Way ways[] = {{"an I/O error once", Fault::Kind::error, false},
                        {"an I/O error for ever", Fault::Kind::error, true},
                        {"a full disk once", Fault::Kind::full, false},
                        {"a full disk for ever", Fault::Kind::full, true}};

/// Where counting begins.
enum class From { new_store, old_store, opened };
constexpr From froms[] = {From::new_store, From::old_store, From::opened};
const char* of(From from) {
  return from == From::new_store ? " of a new store" : from == From::old_store ? " of opening an old store" : " of an open store";
}

std::atomic<long> memory_left{-1};  // allocations until one fails; below 0: none does
std::atomic<bool> memory_for_ever{false};
std::atomic<long> memory_failed{0};
sqlite3_mem_methods memory;

bool no_memory_now() {
  if (memory_left.load() < 0) return false;
  const auto left = --memory_left;
  if (left > 0) return false;
  if (memory_for_ever) memory_left = 1;
  ++memory_failed;
  return true;
}
void* allocate(int size) { return no_memory_now() ? nullptr : memory.xMalloc(size); }
void* reallocate(void* what, int size) { return no_memory_now() ? nullptr : memory.xRealloc(what, size); }

/// One life in which something fails, what it leaves, and a life after it.
class Failing {
 public:
  explicit Failing(const Run& run) : run_{run}, store_(run.directory / "store"), copy_(run.directory / "copy") {
    // Half of the lives begin on a store that has something, in its log too.
    Chance chance(run.seed);
    lay(Files(), store_);
    Disk::here().record(store_, {});
    Life life(store_, old_requests_, 20);
    for (int at = 0; at < 4; ++at) life.batch(chance, 5);
    const auto history = Disk::here().stop_recording();
    old_files_ = in_cache(history, history.size());
    for (auto& [key, request] : old_requests_) request.promised_at = request.edited_at = 0;
  }

  /// `arm` makes things fail, `disarm` ends it and says whether anything had. False: this N was beyond the life's end.
  template <class Arm, class Disarm> bool one(const std::string& name, From from, bool full, Arm arm, Disarm disarm) {
    Chance chance(run_.seed + 7);
    const bool old = from != From::new_store;
    auto requests = old ? old_requests_ : Requests();
    lay(old ? old_files_ : Files(), store_);
    Disk::here().record(store_, old ? durable(old_files_) : History());
    bool happened = false, opened = false;
    std::string fatal;
    {
      if (from != From::opened) arm();
      Life life(store_, requests, 12);
      if (from == From::opened) arm();
      opened = life.refused().empty();
      for (int at = 0; opened && at < 4; ++at) life.batch(chance, 4);
      happened = disarm();
      if (opened && full) room_again(life, requests, chance, name);
      else if (opened && (!life.writable() || any_unknown(requests))) nothing_after(life, requests, chance, name);
      history_ = Disk::here().stop_recording();
      const bool refuses = opened && !life.writable();
      life.close();  // now it has said all
      fatal = life.fatal();
      if (refuses && fatal.empty()) wrong(name, "the store refuses writes and did not say that it ends");
    }
    for (const auto& [key, request] : requests) {
      if (request.state == Request::State::unknown) ++unknown_;
      if (request.state == Request::State::unknown && fatal.empty()) wrong(name, "an unknown outcome, and the process goes on");
    }
    ++lives_;
    if (!opened) ++not_opened_;
    if (!fatal.empty()) ++ended_;
    look(in_cache(history_, history_.size()), requests, name + ", process gone");
    look(after_power_cut(history_, history_.size(), chance), requests, name + ", power cut");
    again(requests, chance, name);
    return happened;
  }

  long lives() const { return lives_; }
  long mistakes() const { return mistakes_; }
  std::string figures() const {
    return std::to_string(lives_) + " lives (" + std::to_string(not_opened_) + " did not open and said why, " + std::to_string(ended_) +
           " ended by fail-stop), " + std::to_string(unknown_) + " outcomes called unknown, " + std::to_string(looked_) +
           " acknowledged looked at, " + std::to_string(mistakes_) + " wrong";
  }

 private:
  void room_again(Life& life, Requests& requests, Chance& chance, const std::string& name) {
    life.second_passes();
    const auto before = requests.size();
    life.batch(chance, 3);
    for (const auto& [key, request] : requests)
      if (key >= static_cast<std::int64_t>(before) && !request.refused && request.state != Request::State::acknowledged && life.fatal().empty())
        return wrong(name, "there is room again, and the store refuses still");
  }
  static bool any_unknown(const Requests& requests) {
    return std::any_of(requests.begin(), requests.end(), [](const auto& one) { return one.second.state == Request::State::unknown; });
  }
  void nothing_after(Life& life, Requests& requests, Chance& chance, const std::string& name) {
    const auto before = requests.size();
    life.batch(chance, 2);
    for (const auto& [key, request] : requests)
      if (key >= static_cast<std::int64_t>(before) && request.state == Request::State::acknowledged)
        wrong(name, "acknowledged after the storage failed");
  }
  void look(const Files& files, const Requests& requests, const std::string& name) {
    lay(files, copy_);
    if (const auto what = wrong_with(copy_, requests, history_.size(), &looked_); !what.empty()) wrong(name, what);
  }
  /// The next process on what is in the cache: clients ask again, and then the power goes.
  void again(Requests requests, Chance& chance, const std::string& name) {
    lay(in_cache(history_, history_.size()), store_);
    Disk::here().record(store_, history_);
    {
      Life life(store_, requests, 12);
      if (!life.refused().empty()) wrong(name, "does not open afterwards: " + life.refused());
      else life.resend();
      history_ = Disk::here().stop_recording();
    }
    for (const auto& [key, request] : requests)
      if (request.state == Request::State::unknown || request.state == Request::State::sent) wrong(name, "a resend has no answer");
    look(after_power_cut(history_, history_.size(), chance), requests, name + ", opened again, resent, power cut");
  }
  void wrong(const std::string& name, const std::string& what) {
    if (++mistakes_ <= 20) std::printf("  WRONG (%s): %s\n", name.c_str(), what.c_str());
  }

  Run run_;
  std::filesystem::path store_, copy_;
  Requests old_requests_;
  Files old_files_;
  History history_;
  long lives_ = 0, not_opened_ = 0, ended_ = 0, unknown_ = 0, mistakes_ = 0;
  std::size_t looked_ = 0;
};

}  // namespace

bool io_errors(const Run& run) {
  Failing failing(run);
  long reached = 0;
  for (const auto& way : ways)
    for (const auto from : froms)
      for (long n = 1; n <= run.most; ++n) {
        const auto name = std::string(way.name) + " at call " + std::to_string(n) + of(from);
        const auto arm = [&] { Disk::here().fail({way.kind, n, way.for_ever}); };
        const auto disarm = [&] {
          const auto failed = Disk::here().failed();
          Disk::here().fail({});
          return failed > 0;
        };
        if (!failing.one(name, from, way.kind == Fault::Kind::full, arm, disarm)) break;
        reached = std::max(reached, n);
      }
  std::printf("I/O errors: at call 1 to %ld, once and for ever, errors and full disk: %s; seed %llu", reached, failing.figures().c_str(),
              static_cast<unsigned long long>(run.seed));
  return failing.mistakes() == 0 && failing.lives() > 0;
}

void take_over_memory() {
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
  auto own = memory;
  own.xMalloc = allocate;
  own.xRealloc = reallocate;
  sqlite3_config(SQLITE_CONFIG_MALLOC, &own);
}

bool no_memory(const Run& run) {
  Failing failing(run);
  long reached = 0;
  for (const bool for_ever : {false, true})
    for (const auto from : froms)
      // Beyond the most by steps that grow, to the end of the life.
      for (long n = 1;; n += n < run.most ? 1 : 1 + n / 12) {
        const auto name = std::string("no memory ") + (for_ever ? "for ever from" : "once, at") + " allocation " + std::to_string(n) + of(from);
        const auto arm = [&] {
          memory_failed = 0;
          memory_for_ever = for_ever;
          memory_left = n;
        };
        const auto disarm = [&] {
          memory_left = -1;
          return memory_failed > 0;
        };
        if (!failing.one(name, from, false, arm, disarm)) break;
        reached = std::max(reached, n);
      }
  std::printf("no memory: allocation 1 to %ld, once and for ever: %s; seed %llu", reached, failing.figures().c_str(),
              static_cast<unsigned long long>(run.seed));
  return failing.mistakes() == 0 && failing.lives() > 0;
}

}  // namespace loggia::faults
