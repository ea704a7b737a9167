// simulation [--old] [--seed N] [--seeds A..B] [--seeds FIRST COUNT] [--trace] [--twice] [--mutant NAME]
// Exit 1 where a seed failed, 2 for arguments that make no sense.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include "loggia/kernel/log.hpp"
#include "world.hpp"

namespace loggia::simulation {
namespace {

constexpr unsigned seconds_a_seed = 10;
constexpr std::size_t lines_shown = 200;

struct Options {
  std::vector<std::uint64_t> old, seeds;
  bool trace = false, twice = false;
};

/// Shared with the parent, which tells how a seed ended that could not tell it.
struct Progress {
  std::uint64_t seed = 0, done = 0;
  bool told = false;
};
Progress* progress = nullptr;

/// One seed a line; what stands behind it says what it found.
std::vector<std::uint64_t> old_seeds() {
  std::vector<std::uint64_t> out;
  std::ifstream file(LOGGIA_ROOT "/tests/simulation/seeds.txt");
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') out.push_back(std::strtoull(line.c_str(), nullptr, 10));
  return out;
}

void usage(const char* why) {
  std::fprintf(
      stderr, "simulation: %s\nusage: simulation [--old] [--seed N] [--seeds A..B | --seeds FIRST COUNT] [--trace] [--twice] [--mutant NAME]\n", why);
  std::exit(2);
}

std::uint64_t number(const char* text, char** end) {
  const auto value = std::strtoull(text, end, 10);
  if (*end == text) usage("a seed is a number");
  return value;
}

Options read(int count, char** arguments) {
  Options out;
  for (int at = 1; at < count; ++at) {
    const std::string_view word = arguments[at];
    char* end = nullptr;
    const auto next = [&] {
      if (++at >= count) usage("a value is missing");
      return arguments[at];
    };
    if (word == "--trace") out.trace = true;
    else if (word == "--twice") out.twice = true;
    else if (word == "--old") out.old = old_seeds();
    else if (word == "--mutant") ::setenv("LOGGIA_MUTANT", next(), 1);
    else if (word == "--seed") out.seeds.push_back(number(next(), &end));
    else if (word == "--seeds") {
      const auto first = number(next(), &end);
      auto last = first;
      if (std::strncmp(end, "..", 2) == 0) last = number(end + 2, &end);
      else last = first + number(next(), &end) - 1;
      for (auto seed = first; seed <= last; ++seed) out.seeds.push_back(seed);
    } else usage("an unknown argument");
  }
  if (out.old.empty() && out.seeds.empty()) usage("no seeds");
  return out;
}

void show(const World& world, std::size_t lines) {
  const auto& trace = world.trace();
  for (auto at = trace.size() > lines ? trace.size() - lines : 0; at < trace.size(); ++at) std::printf("%s\n", trace[at].c_str());
}

/// True where it was as it must be.
bool run_seed(std::uint64_t seed, const Options& options, std::uint64_t* hash) {
  progress->seed = seed;
  ::alarm(seconds_a_seed);
  World world(seed, options.trace ? World::Trace::printed : World::Trace::none);
  world.run();
  *hash = world.hash();
  if (world.failure().empty()) return true;
  progress->told = true;
  std::printf("seed %llu FAILED: %s\n", static_cast<unsigned long long>(seed), world.failure().c_str());
  if (!options.trace) {
    ::alarm(seconds_a_seed);
    World again(seed, World::Trace::kept);
    again.run();
    std::printf("the last %zu of what happened; all of it: --seed %llu --trace\n", lines_shown, static_cast<unsigned long long>(seed));
    show(again, lines_shown);
    if (again.failure() != world.failure()) std::printf("and the second time it was: %s\n", again.failure().c_str());
  }
  return false;
}

int run(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t all = 0;
  for (const auto* list : {&options.old, &options.seeds})
    for (const auto seed : *list) {
      std::uint64_t hash = 0, again = 0;
      if (!run_seed(seed, options, &hash)) return 1;
      if (options.twice) {
        if (!run_seed(seed, options, &again)) return 1;
        if (hash != again) {
          std::printf("seed %llu FAILED: two runs of it differ\n", static_cast<unsigned long long>(seed));
          progress->told = true;
          return 1;
        }
      }
      all ^= hash * (seed | 1);
      ++progress->done;
    }
  ::alarm(0);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const auto processor = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  const auto worlds = static_cast<double>(progress->done) * (options.twice ? 2 : 1);
  std::printf("%llu seeds%s, none failed; %.1f s, %.0f a second, %.0f a second of CPU time; histories %016llx\n",
              static_cast<unsigned long long>(progress->done), options.twice ? ", each twice with the same history" : "", took.count(),
              worlds / took.count(), worlds / processor, static_cast<unsigned long long>(all));
  return 0;
}

}  // namespace
}  // namespace loggia::simulation

int main(int count, char** arguments) {
  using namespace loggia::simulation;
  // glibc keeps 7 freed blocks of a size at hand and has all others take the long way: of so many short lives that is most of them.
  // What it is told otherwise it reads before main alone.
  if (!std::getenv("GLIBC_TUNABLES") && ::setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=60000", 1) == 0) ::execv("/proc/self/exe", arguments);
  const auto options = read(count, arguments);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  void* shared = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  progress = new (shared) Progress;
  const auto child = ::fork();
  if (child == 0) {
    // What the server logs of faults that were meant is noise; with --trace it is shown.
    if (!options.trace && std::freopen("/dev/null", "w", stderr) == nullptr) return 2;
    const auto code = run(options);
    std::fflush(stdout);
    std::_Exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || progress->told)) return WEXITSTATUS(status);
  const auto seed = static_cast<unsigned long long>(progress->seed);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) std::printf("seed %llu FAILED: it took more than %u s\n", seed, seconds_a_seed);
  else if (WIFSIGNALED(status)) std::printf("seed %llu FAILED: ended by signal %d\n", seed, WTERMSIG(status));
  else std::printf("seed %llu FAILED: the process ended itself with %d; --seed %llu --trace shows its log\n", seed, WEXITSTATUS(status), seed);
  return 1;
}
