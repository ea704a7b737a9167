// What one fdatasync costs on the disk of the data: writes BYTES, syncs, and again. Prints one line of JSON.
//   loggia_disk --dir /var/tmp --bytes 4096 --seconds 2 [--rate 50] [--overwrite 1]
// Without a rate one follows the other; with one they are due at that rate and counted from when they were due, as messages of the latency row are.
// Appending makes the file longer, so that a sync writes its length too; --overwrite goes round in a file whose length stays, as a log of writes
// does that begins again after each checkpoint. Refuses a file system that is in memory: a sync there costs nothing and proves nothing.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "loggia_disk: {}\n", why);
  std::exit(1);
}

/// The magic numbers of statfs(2).
std::string kind_of(const std::string& directory) {
  struct statfs about{};
  if (::statfs(directory.c_str(), &about) != 0) give_up("cannot look at " + directory);
  switch (static_cast<unsigned long>(about.f_type)) {
    case 0x01021994:
      return "tmpfs";
    case 0x858458f6:
      return "ramfs";
    case 0xef53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683e:
      return "btrfs";
    case 0x794c7630:
      return "overlay";
    default:
      return fmt::format("{:#x}", static_cast<unsigned long>(about.f_type));
  }
}

}  // namespace

int main(int count, char** words) {
  std::string directory = ".";
  std::size_t bytes = 4096;
  double seconds = 2, rate = 0;
  bool overwrite = false;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string name = words[at], value = words[at + 1];
    if (name == "--dir") directory = value;
    else if (name == "--bytes") bytes = std::strtoull(value.c_str(), nullptr, 10);
    else if (name == "--seconds") seconds = std::atof(value.c_str());
    else if (name == "--rate") rate = std::atof(value.c_str());
    else if (name == "--overwrite") overwrite = value != "0";
    else give_up("unknown flag " + name);
  }
  const auto kind = kind_of(directory);
  if (kind == "tmpfs" || kind == "ramfs") give_up(directory + " is " + kind + ", which is memory: name a directory on a disk (LOGGIA_BENCH_DIR)");

  auto path = directory + "/fdatasync-XXXXXX";
  const int file = ::mkstemp(path.data());
  if (file < 0) give_up("cannot make a file in " + directory);
  ::unlink(path.c_str());
  const std::string text(bytes, 'x');
  constexpr std::size_t round = 64;  // places of a file that is overwritten
  const auto write_at = [&](std::size_t place) {
    if (::pwrite(file, text.data(), text.size(), static_cast<off_t>(place * bytes)) != static_cast<ssize_t>(bytes) || ::fdatasync(file) != 0)
      give_up("a write or a sync failed in " + directory);
  };
  if (overwrite)
    for (std::size_t place = 0; place < round; ++place) write_at(place);

  std::vector<double> took;
  const auto begin = Steady::now(), end = begin + std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(seconds));
  const auto period = std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(rate > 0 ? 1 / rate : 0));
  for (auto due = begin; Steady::now() < end;) {
    if (rate > 0) std::this_thread::sleep_until(due += period);
    const auto from = rate > 0 ? due : Steady::now();
    write_at(overwrite ? took.size() % round : took.size());
    took.push_back(std::chrono::duration<double, std::milli>(Steady::now() - from).count());
  }
  const std::chrono::duration<double> all = Steady::now() - begin;
  const auto a_second = static_cast<double>(took.size()) / all.count();
  std::sort(took.begin(), took.end());
  const auto at = [&](double part) { return took[static_cast<std::size_t>(part * static_cast<double>(took.size() - 1))]; };
  fmt::print(R"({{"filesystem":"{}","bytes":{},"syncs":{},"syncs_s":{:.1f},"p50_ms":{:.3f},"p99_ms":{:.3f}}})"
             "\n",
             kind, bytes, took.size(), a_second, at(0.5), at(0.99));
  return 0;
}
