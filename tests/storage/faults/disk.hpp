#pragma once
// A disk under SQLite that remembers what was synced: a VFS in memory, for one process, that keeps a history of writes, syncs, cuts and
// names. From the history the files are made as they are in the page cache (after kill -9) or as a power cut could have left them. The
// same VFS lets a call fail.
#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace loggia::faults {

struct Step {
  enum class Kind { make, erase, write, cut, sync, failed_sync };
  Kind kind;
  int file;                           // an inode: a name that is erased and made again is another one
  std::string name = std::string();   // of make and erase: relative to the directory
  std::int64_t at = 0;                // of write and cut
  std::string bytes = std::string();  // of write
  bool names_too = false;             // of sync and erase: the folder was synced as well
  bool of_database = false;           // a write into the database's own file, which only a checkpoint does
};
using History = std::vector<Step>;
using Files = std::map<std::string, std::string>;
using Chance = std::mt19937_64;

/// What the system shows: all of the history's first `count` steps.
Files in_cache(const History& history, std::size_t count);
/// What may be on the disk when the power goes after `count` steps: what was synced, and of the rest any 512 bytes, or none, or damaged.
Files after_power_cut(const History& history, std::size_t count, Chance& chance);
/// As a history: all of it durable.
History durable(const Files& files);
/// How calls fail.
struct Fault {
  enum class Kind { none, error, full };
  Kind kind = Kind::none;
  long at = 0;            // the number of the call, from 1
  bool for_ever = false;  // it and all after it
};

/// The one disk of this process, SQLite's default VFS from the first use on. Safe from every thread.
class Disk {
 public:
  static Disk& here();
  /// Makes exactly these files in the directory, which need not exist.
  void put(const Files& files, const std::filesystem::path& directory);
  /// From now on keeps the history of `directory`, which goes on from `history`.
  void record(const std::filesystem::path& directory, History history);
  History stop_recording();
  std::size_t steps() const;
  void fail(Fault fault);
  /// How many calls have failed since.
  long failed() const;

 private:
  Disk();
};

}  // namespace loggia::faults
