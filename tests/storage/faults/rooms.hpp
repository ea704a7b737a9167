#pragma once
// What a module does with its store, small: messages of rooms with a number each, their events, a head row before the commit, edits, commands
// that are refused, and requests that come again. And the checks: what was promised is there, once, under its number, and whole.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>
#include "loggia/kernel/storage.hpp"
#include "storage/faults/disk.hpp"
#include "storage/faults/stage.hpp"

namespace loggia::faults {

/// What the clients know of one request, by its key.
struct Request {
  std::int64_t room = 0, size = 0;
  std::size_t sent_at = 0;  // how far the disk's history was
  bool refused = false;     // the command itself says no: it must leave nothing
  enum class State { sent, acknowledged, denied, unknown } state = State::sent;
  std::int64_t seq = 0;  // of the answer
  std::size_t promised_at = 0;
  std::int64_t version = 0;  // of the last acknowledged edit
  std::size_t edited_at = 0;
  std::int64_t asked_version = 0;  // of the last edit that was sent
};
using Requests = std::map<std::int64_t, Request>;

/// The store of a directory while it lives, with clients that ask in batches: a batch gathers while the writer is held, so that groups, and with
/// them the disk's history, come from the seed alone.
class Life {
 public:
  Life(std::filesystem::path directory, Requests& requests, std::int64_t checkpoint_pages);
  ~Life();
  /// Why the store could not be opened; empty: it lives.
  const std::string& refused() const { return refused_; }
  /// `count` new requests and some edits at once.
  void batch(Chance& chance, int count);
  /// All that nobody answered comes again with its key.
  void resend();
  void close();
  const std::string& fatal() const { return *fatal_; }
  bool writable() const { return store_ && store_->writable(); }
  /// Time for the probe of a full disk.
  void second_passes();

 private:
  void ask(std::int64_t key);
  void edit(std::int64_t key);
  template <class F> void gathered(F asks);
  boost::asio::awaitable<void> send(std::int64_t key);
  boost::asio::awaitable<void> change(std::int64_t key, std::int64_t version);
  boost::asio::awaitable<void> hold(std::function<void()> wait);

  Requests& requests_;
  Stage stage_;
  std::shared_ptr<Clock> clock_;
  std::function<void()> advance_;
  std::shared_ptr<std::string> fatal_ = std::make_shared<std::string>();
  std::string refused_;
  std::shared_ptr<Database> store_;
  int asked_ = 0, answered_ = 0;
};

/// These files on the disk of the test, and in the real directory what the store looks for outside of SQLite: that its file is there.
void lay(const Files& files, const std::filesystem::path& directory);

/// What is wrong with the store in `directory` after the crash, or nothing. `count`: how far the history was; `acknowledged` says how many
/// promises were looked at.
std::string wrong_with(const std::filesystem::path& directory, const Requests& requests, std::size_t count, std::size_t* acknowledged);

}  // namespace loggia::faults
