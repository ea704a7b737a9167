#include "storage/faults/rooms.hpp"
#include <boost/asio/co_spawn.hpp>
#include <fstream>
#include <future>
#include "support/fakes.hpp"

namespace loggia::faults {
namespace {

const Migration schema{1, "rooms", R"sql(
CREATE TABLE room(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE message(room INTEGER NOT NULL, seq INTEGER NOT NULL, key INTEGER NOT NULL UNIQUE, version INTEGER NOT NULL, body BLOB NOT NULL,
                     PRIMARY KEY(room, seq)) WITHOUT ROWID;
CREATE TABLE event(room INTEGER NOT NULL, seq INTEGER NOT NULL, key INTEGER NOT NULL, PRIMARY KEY(room, seq)) WITHOUT ROWID;
CREATE TABLE head(room INTEGER PRIMARY KEY, value INTEGER NOT NULL);
INSERT INTO room VALUES (0, 0), (1, 0), (2, 0);
INSERT INTO head VALUES (0, 0), (1, 0), (2, 0);
)sql"};

DatabaseOptions options_for(const std::filesystem::path& directory, std::shared_ptr<Clock> clock) {
  DatabaseOptions options;
  options.directory = directory;
  options.name = "store";
  options.migrations = {schema};
  options.clock = std::move(clock);
  options.readers = 1;
  return options;
}

std::string body_of(std::int64_t key, std::int64_t version, std::int64_t size) {
  std::string out = std::to_string(key) + "/" + std::to_string(version) + ":";
  out.resize(static_cast<std::size_t>(size), static_cast<char>('a' + (key + version) % 26));
  return out;
}
std::span<const std::uint8_t> blob(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

Result<std::int64_t> store_message(Transaction& transaction, std::int64_t key, const Request& request) {
  {
    auto found = transaction.select("SELECT seq FROM message WHERE key = ?1", key);
    if (found->next()) return found->integer(0);
  }
  transaction.execute("UPDATE room SET seq = seq + 1 WHERE id = ?1", request.room);
  std::int64_t seq = 0;
  {
    auto found = transaction.select("SELECT seq FROM room WHERE id = ?1", request.room);
    if (found->next()) seq = found->integer(0);
  }
  const auto body = body_of(key, 0, request.size);
  transaction.execute("INSERT INTO message VALUES (?1, ?2, ?3, 0, ?4)", request.room, seq, key, blob(body));
  transaction.execute("INSERT INTO event VALUES (?1, ?2, ?3)", request.room, seq, key);
  transaction.before_commit(static_cast<std::uint64_t>(request.room), [room = request.room](Transaction& last) {
    last.execute("UPDATE head SET value = (SELECT seq FROM room WHERE id = ?1) WHERE room = ?1", room);
  });
  if (request.refused) return Error(Errc::forbidden, "not this one");
  return seq;
}

Result<std::int64_t> store_edit(Transaction& transaction, std::int64_t key, std::int64_t version, std::int64_t size) {
  const auto body = body_of(key, version, size);
  const auto changed = transaction.execute("UPDATE message SET version = ?2, body = ?3 WHERE key = ?1", key, version, blob(body));
  if (changed == 0) return Error(Errc::not_found, "no such message");
  return version;
}

/// Of an answer: what its words say about the request.
Request::State state_of(const Error& error) { return error.code == Errc::outcome_unknown ? Request::State::unknown : Request::State::denied; }

}  // namespace

Life::Life(std::filesystem::path directory, Requests& requests, std::int64_t checkpoint_pages)
    : requests_{requests}, stage_{[] { return Disk::here().steps(); }} {
  auto clock = std::make_shared<test::FakeClock>();
  clock_ = clock;
  advance_ = [clock] { clock->advance(milliseconds(1001)); };
  auto options = options_for(directory, clock_);
  options.on_fatal = [fatal = fatal_](const std::string& why) { *fatal = why; };
  auto opened = open_database(std::move(options));
  if (!opened) {
    refused_ = opened.error().detail;
    return;
  }
  store_ = *opened;
  // Sooner than a module would, so that a short life has checkpoints.
  (void)store_->write_now([=](Transaction& transaction) -> Result<bool> {
    return transaction.select("PRAGMA wal_autocheckpoint=" + std::to_string(checkpoint_pages))->next();
  });
}

Life::~Life() { close(); }
void Life::close() {
  if (store_) store_->close();
  stage_.run();
}
void Life::second_passes() { advance_(); }

boost::asio::awaitable<void> Life::send(std::int64_t key) {
  const auto request = requests_.at(key);
  auto work = [key, request](Transaction& transaction) { return store_message(transaction, key, request); };
  auto answer = co_await store_->write(Context(), std::move(work));
  ++answered_;
  auto& known = requests_.at(key);
  known.promised_at = stage_.posted_at();
  known.state = answer ? Request::State::acknowledged : state_of(answer.error());
  if (answer) known.seq = *answer;
}

boost::asio::awaitable<void> Life::change(std::int64_t key, std::int64_t version) {
  const auto size = requests_.at(key).size;
  auto work = [key, version, size](Transaction& transaction) { return store_edit(transaction, key, version, size); };
  auto answer = co_await store_->write(Context(), std::move(work));
  ++answered_;
  if (!answer) co_return;
  auto& known = requests_.at(key);
  known.version = version;
  known.edited_at = stage_.posted_at();
}

boost::asio::awaitable<void> Life::hold(std::function<void()> wait) {
  auto work = [wait = std::move(wait)](Transaction&) -> Result<bool> {
    wait();
    return true;
  };
  (void)co_await store_->write(Context(), std::move(work));
  ++answered_;
}

namespace {
void rethrow(const std::exception_ptr& thrown) {
  if (thrown) std::rethrow_exception(thrown);
}
}  // namespace

template <class F> void Life::gathered(F asks) {
  auto held = std::make_shared<std::promise<void>>(), go = std::make_shared<std::promise<void>>();
  asked_ = answered_ = 0;
  bool running = store_->writable();  // a store that refuses runs no command, and nothing has to wait for it
  if (running) {
    ++asked_;
    boost::asio::co_spawn(stage_.executor(), hold([held, go] {
                            held->set_value();
                            go->get_future().wait();
                          }),
                          rethrow);
    stage_.run();
    const auto began = held->get_future();
    while (answered_ == 0 && began.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) stage_.run();
  }
  asks();
  stage_.run();
  if (running) go->set_value();
  stage_.run_until([this] { return answered_ == asked_; });
}

void Life::ask(std::int64_t key) {
  ++asked_;
  boost::asio::co_spawn(stage_.executor(), send(key), rethrow);
}
void Life::edit(std::int64_t key) {
  ++asked_;
  const auto version = ++requests_.at(key).asked_version;
  boost::asio::co_spawn(stage_.executor(), change(key, version), rethrow);
}

void Life::batch(Chance& chance, int count) {
  gathered([&] {
    const auto before = static_cast<std::int64_t>(requests_.size());
    for (int at = 0; at < count; ++at) {
      const auto key = static_cast<std::int64_t>(requests_.size());
      Request request;
      request.room = static_cast<std::int64_t>(chance() % 3);
      request.size = static_cast<std::int64_t>(chance() % 8 == 0 ? 5000 + chance() % 9000 : 20 + chance() % 400);
      request.refused = chance() % 12 == 0;
      request.sent_at = Disk::here().steps();
      requests_[key] = request;
      ask(key);
    }
    if (before > 0 && chance() % 2 == 0) edit(static_cast<std::int64_t>(chance() % static_cast<std::uint64_t>(before)));
  });
}

void Life::resend() {
  gathered([&] {
    for (const auto& [key, request] : requests_)
      if (request.state == Request::State::sent || request.state == Request::State::unknown) ask(key);
  });
}

namespace {

struct Found {
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> messages;  // key: seq, version
  std::string wrong;
};

Result<Found> read_all(Query& query, const Requests& requests) {
  Found out;
  const auto fail = [&](std::string why) {
    if (out.wrong.empty()) out.wrong = std::move(why);
  };
  {
    auto check = query.select("PRAGMA integrity_check");
    while (check->next())
      if (check->text(0) != "ok") fail("damaged: " + check->string(0));
  }
  std::map<std::int64_t, std::int64_t> last;
  auto rows = query.select(
      "SELECT m.room, m.seq, m.key, m.version, m.body, e.key FROM message m LEFT JOIN event e ON e.room = m.room AND e.seq = m.seq "
      "ORDER BY m.room, m.seq");
  while (rows->next()) {
    const auto room = rows->integer(0), seq = rows->integer(1), key = rows->integer(2), version = rows->integer(3);
    const auto name = "message " + std::to_string(key);
    if (seq != ++last[room]) fail("room " + std::to_string(room) + " has a hole before " + std::to_string(seq));
    if (!out.messages.emplace(key, std::pair(seq, version)).second) fail(name + " is there twice");
    if (rows->null(5) || rows->integer(5) != key) fail(name + " has no event");
    const auto known = requests.find(key);
    if (known == requests.end() || known->second.refused) {
      fail(name + " was refused or never sent, and is there");
      continue;
    }
    const auto body = rows->blob(4);
    if (std::string(body.begin(), body.end()) != body_of(key, version, known->second.size)) fail(name + " has another text");
    if (version > known->second.asked_version) fail(name + " has an edit that nobody sent");
  }
  auto heads = query.select("SELECT r.id, r.seq, h.value, (SELECT count(*) FROM event WHERE room = r.id) FROM room r JOIN head h ON h.room = r.id");
  int rooms = 0;
  while (heads->next()) {
    ++rooms;
    const auto expected = last[heads->integer(0)];
    if (heads->integer(1) != expected || heads->integer(2) != expected || heads->integer(3) != expected)
      fail("room " + heads->string(0) + " counts to " + heads->string(1) + ", its head to " + heads->string(2) + ", its events to " +
           heads->string(3) + ", and it has " + std::to_string(expected));
  }
  if (rooms != 3) fail("rooms are gone");
  return out;
}

}  // namespace

void lay(const Files& files, const std::filesystem::path& directory) {
  Disk::here().put(files, directory);
  std::filesystem::create_directories(directory);
  for (const auto* name : {"store.db", "store.db-wal"}) {
    const auto found = files.find(name);
    std::error_code ignored;
    if (found == files.end()) std::filesystem::remove(directory / name, ignored);
    else std::ofstream(directory / name) << (found->second.empty() ? "" : "x");
  }
}

std::string wrong_with(const std::filesystem::path& directory, const Requests& requests, std::size_t count, std::size_t* acknowledged) {
  auto options = options_for(directory, std::make_shared<test::FakeClock>());
  options.readers = 0;
  auto store = open_database(std::move(options));
  if (!store) return "the store does not open: " + store.error().detail;
  // In one writing transaction: the one connection that there is.
  const auto found = (*store)->write_now([&](Transaction& transaction) { return read_all(transaction, requests); });
  if (!found) return "the store cannot be read: " + found.error().detail;
  if (!found->wrong.empty()) return found->wrong;
  for (const auto& [key, request] : requests) {
    const auto there = found->messages.find(key);
    const auto name = "message " + std::to_string(key);
    if (request.state == Request::State::acknowledged && request.promised_at <= count) {
      ++*acknowledged;
      if (there == found->messages.end()) return name + " was acknowledged as " + std::to_string(request.seq) + " and is gone";
      if (there->second.first != request.seq) return name + " was acknowledged as " + std::to_string(request.seq) + " and has another number";
      if (request.version > there->second.second && request.edited_at <= count) return name + " has lost an acknowledged edit";
    }
    if (request.state == Request::State::denied && request.promised_at <= count && there != found->messages.end())
      return name + " was answered with an error that says no, and is there";
  }
  return "";
}

}  // namespace loggia::faults
