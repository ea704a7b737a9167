#include "storage/settle.hpp"
#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace loggia::sqlite {
namespace {

constexpr sqlite3_int64 piece_size = 1 << 16;  // SQLite never asks a VFS for more, and the system's own takes less than 128 KiB

void check(int code) {
  if (code != SQLITE_OK) throw SQLite::Exception("the log of writes cannot be made durable", code);
}

/// As SQLite itself opens a log of writes.
class Log {
 public:
  Log(sqlite3_vfs& vfs, const std::string& database, const std::string& path, int flags) : memory_(static_cast<std::size_t>(vfs.szOsFile)) {
    file_ = reinterpret_cast<sqlite3_file*>(memory_.data());
    name_ = sqlite3_create_filename(database.c_str(), "", path.c_str(), 0, nullptr);
    if (!name_) check(SQLITE_NOMEM);
    const int code = vfs.xOpen(&vfs, sqlite3_filename_wal(name_), file_, flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, nullptr);
    if (code == SQLITE_OK) return;
    sqlite3_free_filename(name_);
    check(code);
  }
  ~Log() {
    if (file_->pMethods) file_->pMethods->xClose(file_);
    sqlite3_free_filename(name_);
  }
  Log(const Log&) = delete;

  void become_copy_of(Log& other) {
    sqlite3_int64 size = 0;
    check(other.file_->pMethods->xFileSize(other.file_, &size));
    check(file_->pMethods->xTruncate(file_, 0));  // of a copy that was interrupted
    std::vector<char> piece(static_cast<std::size_t>(std::min(size, piece_size)));
    for (sqlite3_int64 at = 0; at < size; at += piece_size) {
      const auto count = static_cast<int>(std::min(size - at, piece_size));
      check(other.file_->pMethods->xRead(other.file_, piece.data(), count, at));
      check(file_->pMethods->xWrite(file_, piece.data(), count, at));
    }
    check(file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL));
  }

 private:
  std::vector<std::byte> memory_;
  sqlite3_file* file_;
  sqlite3_filename name_;
};

}  // namespace

void settle(const std::string& path) {
  auto* vfs = sqlite3_vfs_find(nullptr);
  const auto log = path + "-wal", copy = path + "-wal-copy";
  int found = 0;
  check(vfs->xAccess(vfs, log.c_str(), SQLITE_ACCESS_EXISTS, &found));
  if (!found) return;
  {
    Log left(*vfs, path, log, 0), made(*vfs, path, copy, SQLITE_OPEN_CREATE);
    made.become_copy_of(left);
  }
  if (std::rename(copy.c_str(), log.c_str()) != 0) check(SQLITE_IOERR);
}

}  // namespace loggia::sqlite
