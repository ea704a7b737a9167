// The VFS. Files are in memory, by inode; locks and the shared memory of the log of writes are those of one process.
#include "storage/faults/disk.hpp"
#include <sqlite3.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace loggia::faults {
namespace {

struct Inode {
  int number = 0;  // 0: not recorded
  std::string bytes;
  // Rollback locks (sqlite3.h, SQLITE_LOCK_…): readers and the one that holds more.
  int shared = 0;
  const void *reserved = nullptr, *exclusive = nullptr;
  // The shared memory beside a database in WAL mode.
  std::vector<std::unique_ptr<std::array<char, 32768>>> regions;
  std::array<int, SQLITE_SHM_NLOCK> shm_locks{};  // readers, or -1
  int mapped = 0;
};

struct State {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Inode>> files;  // by whole path
  bool recording = false;
  std::string prefix;  // of the recorded directory, with its slash
  History history;
  int next_inode = 1;
  Fault fault;
  std::atomic<long> calls{0}, failed{0};
  sqlite3_vfs own{};
  sqlite3_io_methods methods{};
};
State& state() {
  static State one;
  return one;
}
using Guard = std::lock_guard<std::mutex>;

struct Open {
  std::shared_ptr<Inode> inode;
  int lock = SQLITE_LOCK_NONE;
  bool sync_names = false, of_database = false, mapped = false, read_only = false;
  std::array<int, SQLITE_SHM_NLOCK> shm{};  // what this connection holds: 1 shared, -1 exclusive
};
struct File {
  sqlite3_file base;
  Open* open;
};
Open& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file)->open; }

/// Whether this call is to fail; under the lock. Where the disk is full only what needs room fails.
bool fails(State& s, bool needs_room) {
  if (s.fault.kind == Fault::Kind::none || (s.fault.kind == Fault::Kind::full && !needs_room)) return false;
  const long call = ++s.calls;
  if (call != s.fault.at && !(s.fault.for_ever && call > s.fault.at)) return false;
  ++s.failed;
  return true;
}
bool full(const State& s) { return s.fault.kind == Fault::Kind::full; }
void note(State& s, const Open& open, Step step) {
  if (s.recording && open.inode->number) s.history.push_back(std::move(step));
}

int read(sqlite3_file* file, void* into, int size, sqlite3_int64 at) {
  auto& s = state();
  const Guard lock(s.mutex);
  if (fails(s, false)) return SQLITE_IOERR_READ;
  const auto& bytes = of(file).inode->bytes;
  const auto from = std::min(bytes.size(), static_cast<std::size_t>(at)), count = std::min(bytes.size() - from, static_cast<std::size_t>(size));
  std::memcpy(into, bytes.data() + from, count);
  if (count == static_cast<std::size_t>(size)) return SQLITE_OK;
  std::memset(static_cast<char*>(into) + count, 0, static_cast<std::size_t>(size) - count);
  return SQLITE_IOERR_SHORT_READ;
}
int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  auto& s = state();
  const Guard lock(s.mutex);
  const auto& open = of(file);
  if (open.read_only || size > 0x1ffff) return SQLITE_IOERR_WRITE;  // more than the system's own VFS can
  const bool failed = fails(s, true);
  const auto count = static_cast<std::size_t>(failed ? size / 2 : size);  // some of it went through
  auto& bytes = open.inode->bytes;
  if (bytes.size() < static_cast<std::size_t>(at) + count) bytes.resize(static_cast<std::size_t>(at) + count);
  std::memcpy(bytes.data() + at, from, count);
  if (s.recording && open.inode->number)
    note(s, open, {Step::Kind::write, open.inode->number, {}, at, std::string(static_cast<const char*>(from), count), false, open.of_database});
  return !failed ? SQLITE_OK : full(s) ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  auto& s = state();
  const Guard lock(s.mutex);
  if (fails(s, false)) return SQLITE_IOERR_TRUNCATE;
  of(file).inode->bytes.resize(static_cast<std::size_t>(size));
  note(s, of(file), {Step::Kind::cut, of(file).inode->number, {}, size, {}});
  return SQLITE_OK;
}
int sync(sqlite3_file* file, int) {
  auto& s = state();
  const Guard lock(s.mutex);
  auto& open = of(file);
  const bool failed = fails(s, false);
  note(s, open, {failed ? Step::Kind::failed_sync : Step::Kind::sync, open.inode->number, {}, 0, {}, open.sync_names});
  if (failed) return SQLITE_IOERR_FSYNC;
  open.sync_names = false;
  return SQLITE_OK;
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  const Guard lock(state().mutex);
  *size = static_cast<sqlite3_int64>(of(file).inode->bytes.size());
  return SQLITE_OK;
}

int lock(sqlite3_file* file, int level) {
  const Guard guard(state().mutex);
  auto& open = of(file);
  auto& inode = *open.inode;
  if (open.lock >= level) return SQLITE_OK;
  if (open.read_only && level > SQLITE_LOCK_SHARED) return SQLITE_IOERR_LOCK;  // as fcntl answers
  const auto taken = [&](const void* holder) { return holder && holder != &open; };
  if (level == SQLITE_LOCK_SHARED) {
    if (taken(inode.exclusive)) return SQLITE_BUSY;
    ++inode.shared;
  } else {
    if (taken(inode.reserved) || taken(inode.exclusive)) return SQLITE_BUSY;
    inode.reserved = &open;
    if (level == SQLITE_LOCK_EXCLUSIVE) {
      if (inode.shared > 1) return SQLITE_BUSY;
      inode.exclusive = &open;
    }
  }
  open.lock = level;
  return SQLITE_OK;
}
int unlock(sqlite3_file* file, int level) {
  const Guard guard(state().mutex);
  auto& open = of(file);
  auto& inode = *open.inode;
  if (inode.exclusive == &open) inode.exclusive = nullptr;
  if (inode.reserved == &open) inode.reserved = nullptr;
  if (level == SQLITE_LOCK_NONE && open.lock > SQLITE_LOCK_NONE) --inode.shared;
  open.lock = std::min(open.lock, level);
  return SQLITE_OK;
}
int check_lock(sqlite3_file* file, int* out) {
  const Guard guard(state().mutex);
  *out = of(file).inode->reserved != nullptr;
  return SQLITE_OK;
}
int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 512; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }  // as the system's own says

int shm_map(sqlite3_file* file, int region, int, int extend, void volatile** out) {
  auto& s = state();
  const Guard guard(s.mutex);
  auto& open = of(file);
  auto& regions = open.inode->regions;
  *out = nullptr;
  if (!open.mapped) ++open.inode->mapped;
  open.mapped = true;
  const auto wanted = static_cast<std::size_t>(region) + 1;
  if (regions.size() < wanted) {
    if (!extend) return SQLITE_OK;
    if (fails(s, true)) return full(s) ? SQLITE_IOERR_SHMSIZE : SQLITE_IOERR_SHMMAP;
    while (regions.size() < wanted) regions.push_back(std::make_unique<std::array<char, 32768>>());
  }
  *out = regions[wanted - 1]->data();
  return SQLITE_OK;
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  const Guard guard(state().mutex);
  auto& open = of(file);
  auto& locks = open.inode->shm_locks;
  for (int at = offset; at < offset + count; ++at) {
    const auto n = static_cast<std::size_t>(at);
    if (flags & SQLITE_SHM_UNLOCK) continue;
    if (open.shm[n]) continue;
    if ((flags & SQLITE_SHM_EXCLUSIVE) ? locks[n] != 0 : locks[n] < 0) return SQLITE_BUSY;
  }
  for (int at = offset; at < offset + count; ++at) {
    const auto n = static_cast<std::size_t>(at);
    if (flags & SQLITE_SHM_UNLOCK) {
      if (open.shm[n] > 0) --locks[n];
      if (open.shm[n] < 0) locks[n] = 0;
      open.shm[n] = 0;
    } else if (!open.shm[n]) {
      open.shm[n] = (flags & SQLITE_SHM_EXCLUSIVE) ? -1 : 1;
      locks[n] = (flags & SQLITE_SHM_EXCLUSIVE) ? -1 : locks[n] + 1;
    }
  }
  return SQLITE_OK;
}
void shm_barrier(sqlite3_file*) { const Guard guard(state().mutex); }
int shm_unmap(sqlite3_file* file, int) {
  const Guard guard(state().mutex);
  auto& open = of(file);
  if (open.mapped && --open.inode->mapped == 0) open.inode->regions.clear();
  open.mapped = false;
  return SQLITE_OK;
}

int close(sqlite3_file* file) {
  shm_unmap(file, 0);
  unlock(file, SQLITE_LOCK_NONE);
  delete &of(file);
  return SQLITE_OK;
}

int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
  auto& s = state();
  const Guard guard(s.mutex);
  file->pMethods = nullptr;
  if (fails(s, false)) return SQLITE_CANTOPEN;
  const std::string name = path ? path : "";
  auto found = s.files.find(name);
  const bool recorded = s.recording && name.starts_with(s.prefix);
  auto own = std::make_unique<Open>();
  own->of_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  // As the system's own VFS does, also for one that was there.
  own->sync_names = (flags & SQLITE_OPEN_CREATE) && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
  own->read_only = (flags & SQLITE_OPEN_READONLY) != 0;
  if (found == s.files.end()) {
    if (!(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
    auto inode = std::make_shared<Inode>();
    if (recorded) {
      inode->number = s.next_inode++;
      s.history.push_back({Step::Kind::make, inode->number, name.substr(s.prefix.size())});
    }
    found = s.files.emplace(name, std::move(inode)).first;
  }
  own->inode = found->second;
  reinterpret_cast<File*>(file)->open = own.release();
  file->pMethods = &s.methods;
  if (out) *out = flags;
  return SQLITE_OK;
}
int erase(sqlite3_vfs*, const char* path, int sync_names) {
  auto& s = state();
  const Guard guard(s.mutex);
  if (fails(s, false)) return SQLITE_IOERR_DELETE;
  const auto found = s.files.find(path);
  if (found == s.files.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (s.recording && found->second->number)
    s.history.push_back({Step::Kind::erase, found->second->number, found->first.substr(s.prefix.size()), 0, {}, sync_names != 0});
  s.files.erase(found);
  return SQLITE_OK;
}
int access(sqlite3_vfs*, const char* path, int, int* out) {
  auto& s = state();
  const Guard guard(s.mutex);
  const auto found = s.files.find(path);
  *out = found != s.files.end() && !found->second->bytes.empty();  // an empty file counts as none, as in the system's own
  return SQLITE_OK;
}
int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
  if (std::strlen(path) >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::strcpy(out, path);
  return SQLITE_OK;
}

/// The store syncs folders itself, by a descriptor.
void folder_synced(int descriptor) {
  char path[4096];
  const auto size = ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path, sizeof path);
  auto& s = state();
  const Guard guard(s.mutex);
  if (size > 0 && s.recording && std::string(path, static_cast<std::size_t>(size)) + "/" == s.prefix)
    s.history.push_back({Step::Kind::sync, 0, {}, 0, {}, true});
}

int renamed(const std::string& from, const std::string& to) {
  auto& s = state();
  const Guard guard(s.mutex);
  if (fails(s, false)) return -1;
  const auto found = s.files.find(from);
  if (found == s.files.end()) return -1;
  const auto inode = found->second;
  if (s.recording && inode->number) {
    s.history.push_back({Step::Kind::make, inode->number, to.substr(s.prefix.size())});
    s.history.push_back({Step::Kind::erase, inode->number, from.substr(s.prefix.size())});
  }
  s.files.erase(found);
  s.files[to] = inode;
  return 0;
}

}  // namespace
}  // namespace loggia::faults

/// Instead of the system's, in this executable.
extern "C" int rename(const char* from, const char* to) noexcept { return loggia::faults::renamed(from, to); }
extern "C" int fsync(int descriptor) {
  loggia::faults::folder_synced(descriptor);
  return 0;
}

namespace loggia::faults {

Disk::Disk() {
  auto& s = state();
  sqlite3_initialize();
  s.methods = {2,           close,           read,    write,    truncate,    sync,      file_size, lock,   unlock, check_lock, control,
               sector_size, characteristics, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr,   nullptr};
  s.own = *sqlite3_vfs_find(nullptr);
  s.own.zName = "remembering";
  s.own.pNext = nullptr;
  s.own.szOsFile = sizeof(File);
  s.own.xOpen = open;
  s.own.xDelete = erase;
  s.own.xAccess = access;
  s.own.xFullPathname = full_path;
  if (sqlite3_vfs_register(&s.own, 1) != SQLITE_OK) throw std::runtime_error("the VFS cannot be registered");
}

Disk& Disk::here() {
  static Disk one;
  return one;
}

void Disk::put(const Files& files, const std::filesystem::path& directory) {
  auto& s = state();
  const Guard guard(s.mutex);
  const auto prefix = directory.string() + "/";
  std::erase_if(s.files, [&](const auto& file) { return file.first.starts_with(prefix); });
  for (const auto& [name, bytes] : files) {
    auto inode = std::make_shared<Inode>();
    inode->bytes = bytes;
    s.files.emplace(prefix + name, std::move(inode));
  }
}

void Disk::record(const std::filesystem::path& directory, History history) {
  auto& s = state();
  const Guard guard(s.mutex);
  s.prefix = directory.string() + "/";
  s.next_inode = 1;
  for (const auto& step : history) {
    s.next_inode = std::max(s.next_inode, step.file + 1);
    if (step.kind != Step::Kind::make) continue;
    const auto found = s.files.find(s.prefix + step.name);
    if (found != s.files.end()) found->second->number = step.file;  // the last one of that name
  }
  s.history = std::move(history);
  s.recording = true;
}

History Disk::stop_recording() {
  auto& s = state();
  const Guard guard(s.mutex);
  s.recording = false;
  return std::exchange(s.history, {});
}

std::size_t Disk::steps() const {
  const Guard guard(state().mutex);
  return state().history.size();
}

void Disk::fail(Fault fault) {
  const Guard guard(state().mutex);
  state().fault = fault;
  state().calls = 0;
  state().failed = 0;
}
long Disk::failed() const { return state().failed; }

}  // namespace loggia::faults
