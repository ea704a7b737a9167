#include "lifecycle/lock.hpp"
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include "loggia/kernel/process.hpp"

using namespace loggia;

namespace {

/// flock() is of an open file: two locks of one process meet as those of two do.
struct LockPlace {
  LockPlace() {
    char name[] = "/tmp/loggia-lock-XXXXXX";
    path = std::filesystem::path(::mkdtemp(name)) / "data";
  }
  ~LockPlace() { std::filesystem::remove_all(path.parent_path()); }
  std::filesystem::path path;
};
const std::string me = "process " + std::to_string(::getpid());

std::vector<ModuleDescriptor> three_modules() {
  std::vector<ModuleDescriptor> out(3);
  out[0].name = "user";
  out[1].name = "chat";
  out[2].name = "gateway";
  for (std::size_t at : {0u, 1u}) out[at].migrations.resize(1);
  return out;
}
Result<std::unique_ptr<DirectoryLock>> lock_of(const LockPlace& directory, const std::string& modules, const std::string& kind = "sqlite",
                                               bool whole = false) {
  Config::Source source;
  source.keys = process_keys();
  source.flags = {{"storage.dir", directory.path.string()}, {"process.modules", modules}, {"storage.kind", kind}};
  return lock_directory(Config::load(source).value(), three_modules(), whole);
}
bool names(const Result<std::unique_ptr<DirectoryLock>>& refused, const std::string& what) {
  CAPTURE(refused.error().detail);
  CHECK(refused.error().code == Errc::conflict);
  return refused.error().detail.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a directory belongs to one process with all its modules, and the second one reads who that is") {
  LockPlace directory;
  auto first = lock_of(directory, "");
  REQUIRE(first);
  CHECK((*first)->socket() == "control.sock");
  struct stat made{};
  REQUIRE(::stat(directory.path.c_str(), &made) == 0);
  CHECK((made.st_mode & 0777) == 0700);
  CHECK(names(lock_of(directory, ""), me));
  CHECK(names(lock_of(directory, "user"), me));
  first->reset();
  CHECK(lock_of(directory, "user,chat,gateway"));
}

TEST_CASE("parts share a directory, each module with one owner") {
  LockPlace directory;
  auto user = lock_of(directory, "user"), chat = lock_of(directory, "chat,gateway");
  REQUIRE(user);
  REQUIRE(chat);
  CHECK((*user)->socket() == "control.user.sock");
  CHECK((*chat)->socket() == "control.chat.sock");
  CHECK(names(lock_of(directory, "chat"), me + ", which has the module \"chat\""));
  chat->reset();
  CHECK(lock_of(directory, "chat"));
}

TEST_CASE("who needs the whole directory reads which parts are in use") {
  LockPlace directory;
  auto user = lock_of(directory, "user"), chat = lock_of(directory, "chat");
  const auto both = me + " (chat), " + me + " (user)";
  CHECK(names(lock_of(directory, ""), both));
  CHECK(names(lock_of(directory, "chat", "sqlite", true), both));
  const auto held = hold_directory(directory.path);
  REQUIRE(!held);
  CHECK(held.error().detail.find(both) != std::string::npos);
  chat->reset();
  user->reset();
  CHECK(hold_directory(directory.path));
}

TEST_CASE("where the data is elsewhere, several processes with one module share a directory, each with a socket of its own") {
  LockPlace directory;
  auto first = lock_of(directory, "chat", "postgres"), second = lock_of(directory, "chat", "postgres");
  REQUIRE(second);
  CHECK((*first)->socket() == "control.chat.sock");
  CHECK((*second)->socket() == "control.chat-2.sock");
  first->reset();
  CHECK((*lock_of(directory, "chat", "postgres"))->socket() == "control.chat.sock");
}

TEST_CASE("who stores nothing needs no directory") {
  LockPlace directory;
  auto none = lock_of(directory, "gateway");
  REQUIRE(none);
  CHECK(!*none);
  CHECK(!std::filesystem::exists(directory.path));
}
