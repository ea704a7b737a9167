#include "process.hpp"
#include <fmt/format.h>
#include "loggia/chat/events.hpp"
#include "loggia/chat/module.hpp"
#include "loggia/realtime/module.hpp"
#include "loggia/user/contract.hpp"
#include "socket.hpp"
#include "support/unanswered.hpp"
#include "world.hpp"

namespace loggia::simulation {
namespace {

constexpr int partitions = 4;

std::vector<Migration> audit_tables() {
  return {{1, "done", "CREATE TABLE done(number INTEGER PRIMARY KEY, topic TEXT, partition INTEGER, sequence INTEGER, data TEXT)"}};
}
Time beginning() { return *parse_rfc3339("2026-01-31T12:00:00.000Z"); }

/// Everybody exists, and nobody has a block.
class Directory final : public test::UnansweredPort<user::Directory> {
 public:
  using test::UnansweredPort<user::Directory>::on;
  Async<user::People> on(Context, user::GetPeople request) override {
    user::People out;
    for (const auto& id : request.ids) {
      auto& person = out.items.emplace_back();
      person.id = id;
      person.username = "u" + brief(id);
    }
    co_return out;
  }
  Async<user::People> on(Context, user::FindPeople) override { co_return user::People(); }
  Async<user::BlockedWith> on(Context, user::GetBlocked) override { co_return user::BlockedWith(); }
};

class Handshake final : public Upgrade {
 public:
  explicit Handshake(std::shared_ptr<Socket> socket) : socket_{std::move(socket)} {
    request_.headers.emplace_back("sec-websocket-protocol", "loggia.v1");
  }
  const HttpRequest& request() const override { return request_; }
  std::size_t shard() const override { return socket_->shard(); }
  std::shared_ptr<WebSocket> accept(std::string_view, WebSocket::Limits) override { return socket_; }

 private:
  std::shared_ptr<Socket> socket_;
  HttpRequest request_;
};

boost::asio::awaitable<void> knock(std::shared_ptr<realtime::Doors> doors, std::shared_ptr<Socket> socket) {
  auto refusal = co_await doors->enter(std::make_shared<Handshake>(socket), "192.0.2.1", Trace());
  if (refusal) socket->refused();
}

const Config& config_of(const Plan& plan, const std::vector<ConfigKey>& keys) {
  static std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, Config> known;
  const auto key = std::tuple(plan.queue_bytes, plan.resume_limit, plan.resume_total);
  if (const auto found = known.find(key); found != known.end()) return found->second;
  Config::Source source;
  source.keys = keys;
  source.flags.emplace_back("realtime.queue_bytes", std::to_string(plan.queue_bytes));
  source.flags.emplace_back("realtime.resume_limit", std::to_string(plan.resume_limit));
  source.flags.emplace_back("realtime.resume_total", std::to_string(plan.resume_total));
  return known.emplace(key, Config::load(source).value()).first->second;
}

}  // namespace

std::shared_ptr<Disk> chat_disk() {
  static const auto disk = std::make_shared<Disk>("module", chat::module().migrations, beginning());
  return disk;
}
std::shared_ptr<Disk> audit_disk() {
  static const auto disk = std::make_shared<Disk>("module", audit_tables(), beginning());
  return disk;
}

Result<auth::Verified> Doorman::verify(std::string_view token) const {
  if (!in_contact()) return Error(Errc::unavailable, "auth is away");
  const auto user = UserId::parse(token.substr(0, 36));
  const auto session = SessionId::parse(token.substr(37));
  if (!user || !session || world_.revoked.contains(*session)) return Error(Errc::unauthenticated, "the token is not good");
  auth::Verified out;
  out.caller = world_.caller(*user);
  out.caller.session = Uuid(*session);
  out.expires = world_.clock->now() + std::chrono::minutes(10);
  return out;
}
auth::Verifier::Watch Doorman::on_revoked(std::function<void(UserId, SessionId)> handler) {
  world_.tell_revoked = std::move(handler);
  return std::make_shared<int>(0);
}
bool Doorman::in_contact() const { return world_.loop.now() >= world_.contact_lost_until; }

Process::Process(World& world) : world_{world} {
  machine = std::make_shared<Machine>(world.loop, world.plan.shards);
  tasks = std::make_unique<Tasks>();
  chat_store = open("chat", Machine::chat_writer, Machine::chat_reader, chat_disk());
  audit_store = open("audit", Machine::audit_writer, Machine::audit_reader, audit_disk());
  static const auto chat_module = chat::module(), realtime_module = realtime::module();
  auto keys = chat_module.keys;
  keys.insert(keys.end(), realtime_module.keys.begin(), realtime_module.keys.end());
  kernel.config = config_of(world.plan, keys);
  kernel.clock = world.clock;
  kernel.random = world.random;
  kernel.ids = world.ids;
  kernel.shards = machine;
  kernel.metrics = std::make_shared<Metrics>();
  kernel.open = [this](const std::string&, std::vector<Migration>) -> std::shared_ptr<Database> { return chat_store; };
  kernel.fatal = [this](const std::string& why) { world_.must_end(why); };
  BusOptions options;
  options.partitions = partitions;
  options.retention = std::chrono::hours(24 * 7);
  options.clock = world.clock;
  options.ids = world.ids;
  options.shards = machine;
  options.metrics = kernel.metrics.get();
  options.tail_bytes = world.plan.queue_bytes;  // small tails send groups to the rows
  options.on_fatal = kernel.fatal;
  real_bus_ = embedded_bus(std::move(options));
  bus = std::make_shared<Relay>(real_bus_, machine, world.chance);
  kernel.bus = bus;
}

std::int64_t Process::pick(std::int64_t count) { return world_.faults.below(count); }

std::shared_ptr<Store> Process::open(const std::string& name, Machine::Role writer, Machine::Role reader, std::shared_ptr<Disk> disk) {
  Store::Options options;
  options.name = name;
  options.machine = machine;
  options.writer = writer;
  options.reader = reader;
  options.disk = std::move(disk);
  options.disk->fate = [this] { return world_.fate_of_commit(); };
  options.clock = world_.clock;
  options.on_fatal = [this](const std::string& why) { world_.must_end(why); };
  options.dice = &world_.store_dice;
  options.slowness = &world_.slowness;
  return std::make_shared<Store>(std::move(options));
}

void Process::subscribe(const std::string& topic) {
  Subscription made;
  made.topic = topic;
  made.group = "audit";
  made.store = audit_store;
  made.handle = [this](Context context, EventPtr event) { return audit(std::move(context), std::move(event)); };
  real_bus_->subscribe(std::move(made));
}

/// Writes each event that it handles as a row; is slow, away, or throws, by chance.
Async<Apply> Process::audit(Context, EventPtr event) {
  if (world_.handlers_fail()) {
    const auto slept = co_await sleep_for(milliseconds(world_.faults.between(1, 500)));
    if (!slept) co_return slept.error();
    co_return Error(Errc::unavailable, "a peer is away");
  }
  Apply apply = [event](Transaction& transaction) -> Result<bool> {
    transaction.execute("INSERT INTO done(topic, partition, sequence, data) VALUES (?1, ?2, ?3, ?4)", event->topic, event->partition, event->sequence,
                        *event->data);
    return true;
  };
  co_return apply;
}

void Process::start() {
  static const auto chat_module = chat::module(), realtime_module = realtime::module();
  auto& ports = kernel.ports;
  ports.offer<user::Directory>(std::make_shared<Directory>());
  ports.offer<auth::Verifier>(std::make_shared<Doorman>(world_));
  chat_ = chat_module.make(kernel);
  if (world_.plan.split) {
    ports.offer<chat::Live>(flaky(world_.chance, ports.get<chat::Live>()));
    ports.offer<chat::Reading>(flaky(world_.chance, ports.get<chat::Reading>()));
    ports.offer<chat::Rooms>(flaky(world_.chance, ports.get<chat::Rooms>()));
  }
  // The judge hears of an event before anybody else does.
  for (const auto topic : {chat::TimelineFrame::topic, chat::ReceiptMoved::topic}) {
    real_bus_->follow(std::string(topic), [this](const EventPtr& event) { world_.committed(*event); });
    subscribe(std::string(topic));
  }
  realtime_ = realtime_module.make(kernel);
  bus->start().value();
  chat_->start().value();
  realtime_->start().value();
}

void Process::connect(std::shared_ptr<Socket> socket) {
  sockets.push_back(socket);
  const auto shard = socket->shard();
  tasks->spawn(machine->executor(shard), "simulation.handshake", knock(kernel.ports.get<realtime::Doors>(), std::move(socket)));
}

void Process::drain() {
  realtime_->drain();
  chat_->drain();
}

std::optional<std::string> Process::busy() const {
  for (const auto& row : bus->lag()) {
    if (row.position < row.head) return fmt::format("the group is at {} of {} in {} {}", row.position, row.head, row.topic, row.partition);
    if (row.dead_letters > 0) return fmt::format("an event of {} was set aside", row.topic);
  }
  if (!bus->empty()) return "the log's reader is behind";
  if (chat_store->figures().waiting > 0) return "the writer has something to do";
  return std::nullopt;
}

void Process::kill() {
  alive = false;
  world_.tell_revoked = nullptr;
  for (const auto& one : sockets)
    if (const auto socket = one.lock()) socket->process_gone();
  chat_store->kill();
  audit_store->kill();
  for (const auto& disk : {chat_disk(), audit_disk()}) disk->fate = nullptr;
}

Process::~Process() {
  if (alive) kill();
  instead_of_blocking() = [this] { return machine->crew.run_down(); };
  tasks->cancel();
  tasks->wait(milliseconds(1));
  if (realtime_) realtime_->stop();
  bus->stop();
  if (chat_) chat_->stop();
  realtime_.reset();
  chat_.reset();
  kernel.ports = Ports();
  kernel.bus.reset();
  bus.reset();
  real_bus_.reset();
  machine->crew.drop();
  chat_store.reset();
  audit_store.reset();
  kernel.shards.reset();
  tasks.reset();
  if (machine.use_count() > 1) world_.fail("something outlives its process");
  instead_of_blocking() = nullptr;
}

}  // namespace loggia::simulation
