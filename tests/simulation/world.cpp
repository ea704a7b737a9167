#include "world.hpp"
#include <fmt/format.h>
#include <cstdio>
#include "loggia/chat/contract.hpp"

namespace loggia::simulation {
namespace {

constexpr Instant patience = 60 * second;
constexpr std::size_t trace_max = 1 << 20;

class WorldClock final : public Clock {
 public:
  explicit WorldClock(const World& world) : world_{world} {}
  Time now() const override { return start_ + milliseconds((world_.loop.now() + world_.wall_shift) / ms); }
  Moment moment() const override { return Moment(std::chrono::hours(1)) + std::chrono::microseconds(world_.loop.now()); }

 private:
  const World& world_;
  const Time start_ = *parse_rfc3339("2026-01-31T12:00:00.000Z");
};

class WorldRandom final : public Random {
 public:
  explicit WorldRandom(std::uint64_t seed) : dice_{seed} {}
  void fill(void* out, std::size_t size) override {
    auto* bytes = static_cast<unsigned char*>(out);
    for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<unsigned char>(dice_.next() >> 24);
  }

 private:
  Dice dice_;
};

}  // namespace

World::World(std::uint64_t seed, Trace how)
    : plan{seed},
      loop{seed * 7 + 2},
      faults{seed * 7 + 3},
      workload{seed * 7 + 4},
      network{seed * 7 + 5},
      store_dice{seed * 7 + 6},
      clock{std::make_shared<WorldClock>(*this)},
      random{std::make_shared<WorldRandom>(seed * 7 + 7)},
      ids{std::make_shared<Ids>(*clock, *random)},
      truth{[this](const std::string& what) { fail(what); }},
      how_{how} {
  chat_disk()->wipe();
  audit_disk()->wipe();
}

World::~World() {
  process_.reset();
  loop.outside.drop();
}

void World::fail(const std::string& what) {
  note("FAILED: ", what);
  if (failure_.empty()) failure_ = what;
}

void World::write(const std::string& line) {
  auto text = fmt::format("{:>10.3f} {}", static_cast<double>(loop.now()) / ms, line);
  if (how_ == Trace::printed) std::puts(text.c_str());
  trace_.push_back(std::move(text));
  if (trace_.size() > trace_max) trace_.pop_front();
}

void World::committed(const Event& event) {
  if (traced()) note("committed ", event.topic, " ", std::to_string(event.partition), "/", std::to_string(event.sequence), " ", *event.data);
  truth.committed(event);
}

Caller World::caller(const UserId& user) const {
  Caller out;
  out.subject = Uuid(user);
  out.username = "u" + brief(user);
  out.roles.emplace_back("member");
  return out;
}

std::shared_ptr<Socket> World::dial(Client& client) {
  if (!process_) return nullptr;
  const auto shard = static_cast<std::size_t>(network.below(static_cast<std::int64_t>(plan.shards)));
  auto socket = std::make_shared<Socket>(*this, *process_, client, shard, ++connections_);
  process_->connect(socket);
  return socket;
}

// ---- the process ----

void World::begin_process() {
  note("the process begins");
  ++lives_;
  process_ = std::make_unique<Process>(*this);
  process_->start();
}

void World::end_process(const std::string& why) {
  note("the process ends: ", why);
  end_in_ = 0;
  end_at_commit_ = false;
  next_commit_ = Commit::well;
  process_.reset();
  sqlite::ReadQuery query(*chat_disk());
  truth.catch_up(query);
}

void World::restart_later() {
  loop.after(over() ? 10 * ms : faults.between(1, 1500) * ms, Work([this] {
               if (!process_) begin_process();
             }));
}

void World::must_end(const std::string& why) {
  if (!process_ || !process_->alive) return;
  note("the process must end: ", why);
  // What was stored though the commit said otherwise can be read from now on.
  sqlite::ReadQuery query(*chat_disk());
  truth.catch_up(query);
  if (end_in_ > 0) return;
  end_why_ = why;
  end_in_ = static_cast<int>(faults.between(1, 30));
}

Commit World::fate_of_commit() {
  if (loop.now() < full_until_) return Commit::full;
  if (std::exchange(end_at_commit_, false)) {
    end_why_ = "crash right after a commit";
    end_in_ = 1;
  }
  return std::exchange(next_commit_, Commit::well);
}

// ---- what goes wrong ----

void World::chaos() {
  loop.after(faults.between(100, 2500) * ms, Work([this] {
               if (over()) return heal();
               one_fault();
               chaos();
             }));
}

void World::one_fault() {
  const auto some_client = [this]() -> Client& {
    return *clients[static_cast<std::size_t>(faults.below(static_cast<std::int64_t>(clients.size())))];
  };
  switch (faults.below(12)) {
    case 0:
      if (plan.crashes && process_) {
        end_in_ = static_cast<int>(faults.between(1, 40));
        end_why_ = "crash";
      }
      return;
    case 1:
      if (plan.crashes) end_at_commit_ = true;
      return;
    case 2:
      if (!plan.restarts || !process_) return;
      note("the process drains");
      process_->drain();
      return loop.after(faults.between(500, 3000) * ms, Work([this, was = lives_] {
                          if (lives_ != was || !process_ || end_in_ > 0) return;
                          end_in_ = 1;
                          end_why_ = "stopped in order";
                        }));
    case 3:
      if (plan.commits) next_commit_ = faults.chance(500) ? Commit::stored : Commit::lost;
      return;
    case 4:
      if (plan.full) full_until_ = loop.now() + faults.between(100, 4000) * ms;
      return;
    case 5:
      if (!plan.stops || !process_) return;
      stopped_until = loop.now() + faults.between(50, faults.chance(200) ? 20000 : 2000) * ms;
      note("the process stands still");
      return loop.stop(process_->machine->crew, stopped_until);
    case 6:
      if (plan.jumps) wall_shift += faults.between(-3600, 3600) * (faults.chance(500) ? second : ms);
      return;
    case 7:
      if (plan.log && process_) process_->bus->away(loop.now() + faults.between(100, 5000) * ms);
      return;
    case 8:
    case 9:
      if (plan.cuts) some_client().cut(faults.chance(600));
      return;
    case 10:
      if (plan.stalls) some_client().stall(loop.now() + faults.between(200, plan.bulky || faults.chance(200) ? 25000 : 4000) * ms);
      return;
    case 11:
      if (!plan.contact) return;
      if (faults.chance(500)) return some_client().revoke();
      contact_lost_until = loop.now() + faults.between(500, 8000) * ms;
      return;
    default:
      return;
  }
}

void World::heal() {
  note("the faults are over");
  faulty = false;
  slowness = Slowness();
  full_until_ = contact_lost_until = 0;
  next_commit_ = Commit::well;
  end_at_commit_ = false;
  if (process_) {
    loop.stop(process_->machine->crew, 0);
    process_->bus->away(0);
  }
  for (const auto& client : clients) client->stall(0);
  loop.after(second, Work([this] { farewell(); }));
}

/// What the log lost is noticed by what comes after it: a last message in each room.
void World::farewell() {
  if (http_waiting_ > 0 || !process_) return loop.after(second, Work([this] { farewell(); }));
  note("the last messages");
  for (const auto& room : rooms) clients.front()->send(room);
  farewell_said_ = true;
}

// ---- who is in a room ----

template <class R> void World::http(const UserId& by, R request, int tries) {
  if (tries == 0) ++http_waiting_;
  auto heard = std::make_shared<bool>(false);
  const auto again = [this, by, request, tries, heard] {
    if (std::exchange(*heard, true)) return;
    http(by, request, tries + 1);
  };
  loop.after(10 * second, Work(again));
  if (!process_) return;
  Context context(new_trace(*random), clock->moment() + std::chrono::seconds(30));
  process_->ask<R, chat::Rooms>(context.as(caller(by)), std::move(request), [this, heard, again](Result<typename R::Reply> reply) {
    if (*heard) return;
    const bool retry = !reply && (reply.error().code == Errc::unavailable || reply.error().code == Errc::outcome_unknown ||
                                  reply.error().code == Errc::timeout || reply.error().code == Errc::insufficient_storage);
    if (retry) return loop.after(500 * ms, Work(again));
    *heard = true;
    --http_waiting_;
    if (!reply && reply.error().code != Errc::not_found && reply.error().code != Errc::forbidden && reply.error().code != Errc::conflict)
      fail(std::string(R::route) + " was refused: " + reply.error().detail);
  });
}

void World::put_member(const UserId& by, const RoomId& room, const UserId& user) {
  note("http: ", brief(by), " adds ", brief(user), " to ", brief(room));
  chat::PutMember request;
  request.room = room;
  request.user = user.text();
  http(by, request, 0);
}
void World::remove_member(const UserId& by, const RoomId& room, const UserId& user) {
  note("http: ", brief(by), " removes ", brief(user), " from ", brief(room));
  chat::RemoveMember request;
  request.room = room;
  request.user = by == user ? "me" : user.text();
  http(by, request, 0);
}
void World::join(const UserId& user, const RoomId& room) {
  note("http: ", brief(user), " joins ", brief(room));
  chat::JoinRoom request;
  request.room = room;
  http(user, request, 0);
}

void World::make_rooms() {
  for (int at = 0; at < plan.users; ++at) users.push_back(ids->make<UserId>());
  for (int at = 0; at < plan.rooms; ++at) {
    chat::CreateRoom request;
    request.name = "room " + std::to_string(at);
    request.visibility = at % 2 == 0 ? "public" : "private";
    request.members.emplace();
    for (std::size_t user = 1; user < users.size(); ++user)
      if (workload.chance(700)) request.members->push_back(users[user]);
    Context context(new_trace(*random), clock->moment() + std::chrono::seconds(30));
    process_->ask<chat::CreateRoom, chat::Rooms>(context.as(caller(users.front())), request, [this](Result<chat::Room> made) {
      if (!made) return fail("no room: " + made.error().detail);
      rooms.push_back(made->id);
    });
    while (rooms.size() <= static_cast<std::size_t>(at) && failure_.empty() && loop.step()) {
    }
  }
}

// ---- the run ----

void World::run() {
  begin_process();
  make_rooms();
  for (int at = 0; at < plan.clients; ++at) {
    clients.push_back(std::make_unique<Client>(*this, at, users[static_cast<std::size_t>(at % plan.users)]));
    clients.back()->begin();
  }
  faulty = true;
  slowness = plan.slowness;
  const auto span = plan.faults_end - second;
  for (int act = 0; act < plan.acts; ++act)
    loop.after(workload.below(span), Work([this] { clients[static_cast<std::size_t>(workload.below(plan.clients))]->act(); }));
  chaos();
  std::function<void()> look = [this, &look] {
    settled_ = settled();
    if (!settled_) loop.after(250 * ms, Work(look));
  };
  loop.after(plan.faults_end, Work(look));
  while (failure_.empty() && !settled_ && loop.step()) {
    if (end_in_ > 0 && --end_in_ == 0) {
      if (process_) end_process(end_why_);
      restart_later();
    }
    if (loop.now() > plan.faults_end + patience) fail("a minute after the last fault: " + last_missing_);
  }
  if (failure_.empty()) judge();
  loop.mix(static_cast<std::uint64_t>(truth.rooms().size()));
}

bool World::settled() {
  last_missing_ = "the last messages are not sent";
  if (!farewell_said_ || !process_ || end_in_ > 0) return false;
  last_missing_ = "a request about members is not answered";
  if (http_waiting_ > 0) return false;
  for (const auto& client : clients)
    if (auto missing = client->missing()) {
      last_missing_ = std::move(*missing);
      return false;
    }
  auto busy = process_->busy();
  last_missing_ = busy.value_or(std::string());
  return !busy;
}

void World::judge() {
  sqlite::ReadQuery query(*chat_disk());
  truth.compare(query);
  for (const auto& client : clients) client->judge(query);
  judge_audit();
}

/// Every event of the log was handled, once, in its order.
void World::judge_audit() {
  sqlite::ReadQuery query(*audit_disk());
  std::map<std::pair<std::string, std::int64_t>, std::int64_t> heads;
  auto rows = query.select("SELECT topic, partition, sequence FROM done ORDER BY number");
  while (rows->next()) {
    auto& head = heads[{rows->string(0), rows->integer(1)}];
    if (rows->integer(2) != ++head)
      return fail(fmt::format("the group handled {} of {} {} where {} was due", rows->integer(2), rows->text(0), rows->integer(1), head));
  }
  sqlite::ReadQuery log(*chat_disk());
  auto logged = log.select("SELECT topic, partition, head FROM log_head");
  while (logged->next())
    if (heads[{logged->string(0), logged->integer(1)}] != logged->integer(2))
      fail(fmt::format("the group did not handle {} {} beyond {} of {}", logged->text(0), logged->integer(1),
                       heads[{logged->string(0), logged->integer(1)}], logged->integer(2)));
}

}  // namespace loggia::simulation
