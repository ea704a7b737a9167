#pragma once
// What `storage_faults` runs. Each prints its figures as one line without its end, and says whether nothing was wrong.
#include <cstdint>
#include <filesystem>

namespace loggia::faults {

struct Run {
  long points = 10000, from = 0, most = 60;
  std::uint64_t seed = 1;
  bool progress = false;
  bool trace = false;               // the histories of what is wrong
  std::filesystem::path directory;  // empty, on a file system in memory where there is one
};

bool power_loss(const Run& run);
/// Calls that fail: the N-th for rising N, once and for ever, by an error and by a full disk.
bool io_errors(const Run& run);
/// SQLite's N-th allocation fails, once and for ever.
bool no_memory(const Run& run);
/// Before SQLite's first use: its allocations can fail.
void take_over_memory();

}  // namespace loggia::faults
