// storage_faults power|errors|memory [--points N] [--from K] [--most N] [--seed N] [--progress] [--trace]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include "loggia/kernel/log.hpp"
#include "storage/faults/disk.hpp"
#include "storage/faults/runs.hpp"
#include "support/memory_store.hpp"

namespace {

int usage(const char* why) {
  std::fprintf(stderr, "%s\nstorage_faults power|errors|memory [--points N] [--from K] [--most N] [--seed N] [--progress] [--trace]\n", why);
  return 2;
}

std::filesystem::path in_memory() {
  const std::filesystem::path shared = "/dev/shm";
  std::error_code problem;
  const auto base = std::filesystem::is_directory(shared, problem) ? shared : std::filesystem::temp_directory_path();
  auto pattern = (base / "loggia-faults-XXXXXX").string();
  return ::mkdtemp(pattern.data()) ? std::filesystem::path(pattern) : std::filesystem::path();
}

}  // namespace

int main(int count, char** words) {
  using namespace loggia::faults;
  const std::string what = count > 1 ? words[1] : "";
  Run run;
  for (int at = 2; at < count; ++at) {
    const std::string flag = words[at];
    if (flag == "--progress" || flag == "--trace") {
      (flag == "--trace" ? run.trace : run.progress) = true;
      continue;
    }
    if (at + 1 == count) return usage("a value is missing");
    const long value = std::atol(words[++at]);
    if (flag == "--points") run.points = value;
    else if (flag == "--from") run.from = value;
    else if (flag == "--most") run.most = value;
    else if (flag == "--seed") run.seed = static_cast<std::uint64_t>(value);
    else return usage("unknown flag");
  }
  const auto clock = loggia::system_clock();
  loggia::log::configure(loggia::log::Level::error, loggia::log::Format::text, *clock);
  if (!std::getenv("LOGGIA_FAULTS_LOG")) std::freopen("/dev/null", "w", stderr);  // each planned failure is logged
  run.directory = in_memory();
  if (run.directory.empty()) return usage("no directory");
  take_over_memory();
  Disk::here();
  const auto began = std::chrono::steady_clock::now();
  bool fine = false;
  if (what == "power") fine = power_loss(run);
  else if (what == "errors") fine = io_errors(run);
  else if (what == "memory") fine = no_memory(run);
  else return usage("what?");
  std::printf(", %.1f s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  std::error_code ignored;
  std::filesystem::remove_all(run.directory, ignored);
  return fine ? 0 : 1;
}
