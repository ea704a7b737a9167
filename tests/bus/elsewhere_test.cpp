// A log that is read from another process: what is heard, by whom, and what happens while the other is away.
#include "bus/log_elsewhere.hpp"
#include "bus/log_service.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/router.hpp"
#include "support/captured_log.hpp"
#include "world.hpp"

namespace loggia {
namespace {

/// The producer's process behind a line that can be cut.
class Line final : public Transport, public Router {
 public:
  void on(RouteInfo info, RouteHandler handler) override { routes_[std::string(info.route)] = std::move(handler); }
  Async<Answer> send(Context context, Call call) override {
    ++asked;
    if (away) co_return Error(Errc::unavailable, "the module cannot be reached");
    if (forbids) co_return Error(Errc::forbidden, "this module may not read that");
    const auto found = routes_.find(call.route);
    REQUIRE(found != routes_.end());
    auto answer = co_await found->second(std::move(context), std::move(call));
    if (away) co_return Error(Errc::unavailable, "the connection was cut");
    co_return answer;
  }
  std::atomic<bool> away{false}, forbids{false};
  std::atomic<int> asked{0};

 private:
  std::map<std::string, RouteHandler> routes_;
};

/// Two processes: the world's bus produces, another one consumes.
struct Two : test::World {
  std::shared_ptr<Line> line = std::make_shared<Line>();
  std::shared_ptr<Bus> other;
  test::Told told;

  Two() { bus->mount(*line, BusRights()); }
  ~Two() { end_other(); }
  void make_other(std::vector<std::string> topics = {"messages", "receipts"}) {
    other = embedded_bus(options);
    Elsewhere chat;
    chat.module = "chat";
    chat.topics = std::move(topics);
    chat.transport = line;
    chat.each = [] { return std::vector<std::shared_ptr<Transport>>(); };
    other->connect(std::move(chat));
  }
  /// Its start() waits for answers that this thread's loop gives.
  void start_other() {
    blocking(*shards, [this] { REQUIRE(other->start()); });
  }
  void end_other() {
    if (!other) return;
    blocking(*shards, [this] { other->stop(); });
    other.reset();
  }
  void produce() { REQUIRE(bus->start()); }
};

}  // namespace

TEST_CASE("groups and followers of another process hear every event once, in order, from where they are") {
  Two t;
  if (test::on_kafka()) return;
  t.produce();
  const auto before = t.append_many("room", 0, 5);
  t.make_other();
  t.other->follow("messages", std::ref(t.told));
  t.other->subscribe(t.mail.subscription("messages"));
  t.start_other();
  t.until([&] { return t.mail.done().size() == 5; });  // its position was before them
  CHECK(t.told.size() == 0);                           // from the head on
  auto all = before;
  for (int turn = 1; turn < 4; ++turn) {
    const auto more = t.append_many("room", turn * 100, 40);
    all.insert(all.end(), more.begin(), more.end());
    t.until([&] { return t.mail.done().size() == all.size() && t.told.size() == all.size() - 5; });
  }
  CHECK(t.mail.done() == all);
  CHECK(t.told.data() == std::vector<std::string>(all.begin() + 5, all.end()));
  CHECK(t.told.events().front()->source == "/loggia/chat/" + t.log->epoch());
}

TEST_CASE("a group of another process begins again where its store says, and gets from rows what is no more in memory") {
  Two t;
  if (test::on_kafka()) return;
  t.produce();
  t.make_other();
  t.other->subscribe(t.mail.subscription("messages"));
  t.start_other();
  auto all = t.append_many("room", 0, 10);
  t.until([&] { return t.mail.done().size() == 10; });
  t.end_other();
  const auto more = t.append_many("room", 10, 3000);
  all.insert(all.end(), more.begin(), more.end());
  t.make_other();
  t.other->subscribe(t.mail.subscription("messages"));
  t.start_other();
  t.until([&] { return t.mail.done().size() == all.size(); });
  CHECK(t.mail.done() == all);
  CHECK(t.counted("loggia_events_missed_total", "mail") == 0);
}

TEST_CASE("while the producer is away nothing is lost, and it is heard again when it is back") {
  Two t;
  if (test::on_kafka()) return;
  t.produce();
  t.make_other();
  t.other->follow("messages", std::ref(t.told));
  t.other->subscribe(t.mail.subscription("messages"));
  t.start_other();
  auto all = t.append_many("room", 0, 10);
  t.until([&] { return t.told.size() == 10; });
  CHECK(t.other->silent_for("chat") < milliseconds(1000));
  t.line->away = true;
  const auto more = t.append_many("room", 10, 50);
  all.insert(all.end(), more.begin(), more.end());
  const auto asked = t.line->asked.load();
  t.in_time([&] { return t.line->asked > asked + 3; });
  CHECK(t.told.size() == 10);
  CHECK(t.other->silent_for("chat") > milliseconds(0));
  t.line->away = false;
  t.in_time([&] { return t.told.size() == all.size() && t.mail.done().size() == all.size(); });
  CHECK(t.told.data() == all);
  CHECK(t.mail.done() == all);
}

TEST_CASE("what a follower of one module's log hears is that module's alone, and only while it is asked for") {
  Two t;
  if (test::on_kafka()) return;
  t.produce();
  t.make_other();
  t.other->follow_log("chat", "receipts", std::ref(t.told));
  t.start_other();
  t.append_many("room", 0, 3);  // of another topic
  t.append(t.event("room", "read", "receipt.moved", "receipts"));
  t.until([&] { return t.told.size() == 1; });
  CHECK(t.told.data() == std::vector<std::string>{"read"});
}

TEST_CASE("another number of partitions is told, with what to do") {
  Two t;
  if (test::on_kafka()) return;
  t.produce();
  t.options.partitions = 8;
  t.make_other();
  t.other->follow("messages", std::ref(t.told));
  blocking(*t.shards, [&] {
    const auto started = t.other->start();
    REQUIRE(!started);
    CHECK(started.error().code == Errc::invalid_request);
    CHECK(started.error().detail.find("bus.partitions is 8 here and 4 in the log of chat") != std::string::npos);
  });
}

TEST_CASE("a signal reaches who follows in other processes that hear its topic, and is no event of the log") {
  Two t;
  if (test::on_kafka()) return;
  const auto to = std::make_shared<Line>();
  t.make_other({});
  t.other->follow("rooms", std::ref(t.told));
  t.other->mount(*to, BusRights());
  t.start_other();
  Elsewhere realtime;
  realtime.module = "realtime";
  realtime.hears = {"rooms"};
  realtime.transport = to;
  realtime.each = [to] { return std::vector<std::shared_ptr<Transport>>{to}; };
  t.bus->connect(std::move(realtime));
  t.produce();
  for (const char* who : {"ada", "bob"}) t.bus->signal("chat", "rooms", "typing.started", "room", "{\"user\":\"" + std::string(who) + "\"}", "");
  t.bus->signal("chat", "else", "typing.started", "room", "{}", "");
  t.until([&] { return t.told.size() == 2; });
  CHECK(t.told.data() == std::vector<std::string>{R"({"user":"ada"})", R"({"user":"bob"})"});
  CHECK(t.told.events()[0]->sequence == 0);
  CHECK(t.told.events()[0]->topic == "rooms");
}

TEST_CASE("who waits for news is answered at once when the process that is asked ends") {
  Two t;
  if (test::on_kafka()) return;
  t.produce();
  t.make_other();
  t.other->follow("messages", std::ref(t.told));
  t.start_other();
  t.until([&] { return t.line->asked >= 2; });  // the second one waits
  const auto asked = t.line->asked.load();
  t.bus->drain();
  t.until([&] { return t.line->asked > asked; });
}

TEST_CASE("a process gets what one of the modules in its certificate may read, and is heard where one of them may say it") {
  Two t;
  if (test::on_kafka()) return;
  t.append_many("room", 0, 3);
  BusRights rights;
  rights.reads = [](const std::string& caller, const std::string& producer, const std::string& topic) {
    return producer == "chat" && (caller == "realtime" || (caller == "user" && topic == "receipts"));
  };
  rights.says = [](const std::string& caller, const std::string& topic) { return caller == "realtime" && topic == "rooms"; };
  test::Told heard;
  const auto service =
      std::make_shared<bus::LogService>(std::vector{std::static_pointer_cast<bus::LogHere>(t.log)}, t.shards, rights, std::ref(heard));
  service->mount(*t.line);
  using Names = std::vector<std::string>;
  const auto ask = [&](std::optional<Names> names, std::string_view route, std::string body) {
    Call call;
    call.route = route;
    call.body = std::move(body);
    if (names) call.peer = std::make_shared<const Names>(std::move(*names));
    return test::wait(*t.shards, t.line->send(Context(), std::move(call)));
  };
  const auto read = [&](std::optional<Names> names, std::vector<std::string> topics) {
    bus::ReadLog request;
    request.module = "chat";
    request.limit = 10;
    for (auto& topic : topics) {
      request.topics.emplace_back().topic = std::move(topic);
      request.topics.back().after.assign(4, 0);
    }
    return ask(std::move(names), bus::read_route, encode(request));
  };
  const auto refused = [](const Result<Answer>& answer) { return !answer && answer.error().code == Errc::forbidden; };
  CHECK(read(Names{"realtime"}, {"messages", "receipts"}).value().body.find("\"specversion\"") != std::string::npos);
  CHECK(read(Names{"user", "realtime"}, {"messages", "receipts"}));
  CHECK(read(Names{"user"}, {"receipts"}));
  CHECK(refused(read(Names{"user"}, {"messages"})));
  CHECK(refused(read(Names{"user"}, {"receipts", "messages"})));
  CHECK(read(Names{"user"}, {"messages"}).error().detail == "this module may not read messages from the log of chat");
  CHECK(refused(read(Names{}, {"receipts"})));
  CHECK(read(std::nullopt, {"messages"}));  // no certificate was asked for: loopback alone

  Event event;
  event.topic = "rooms";
  event.type = "typing.started";
  event.key = "room";
  event.data = std::make_shared<const std::string>("{}");
  std::string line;
  bus::append_line(line, event);
  CHECK(refused(ask(Names{"user"}, bus::signal_route, line)));
  CHECK(heard.size() == 0);
  CHECK(ask(Names{"user", "realtime"}, bus::signal_route, line));
  CHECK(heard.size() == 1);
  // One that it may not send takes no other with it.
  event.topic = "else";
  std::string mixed = line;
  bus::append_line(mixed, event);
  CHECK(refused(ask(Names{"realtime"}, bus::signal_route, mixed + line)));
  CHECK(heard.size() == 3);
}

TEST_CASE("a process that may not read a log says what it was told, at once and at the end of its start") {
  Two t;
  if (test::on_kafka()) return;
  static const test::FakeClock clock;  // outlives every line
  const test::CapturedLog captured(log::Level::warn, log::Format::text, clock);
  t.line->forbids = true;
  bus::LogElsewhere::Options options;
  options.module = "chat";
  options.topics = {"messages"};
  options.partitions = 4;
  options.transport = t.line;
  options.shards = t.shards;
  options.clock = t.clock;
  bus::LogElsewhere reader(std::move(options));
  const auto started = reader.start(milliseconds(0));
  REQUIRE_FALSE(started);
  CHECK(started.error().detail.starts_with("The module chat does not answer."));
  t.in_time([&] { return t.line->asked > 2; });
  CHECK(reader.not_begun().starts_with("The module chat does not let this process read its log: this module may not read that."));
  CHECK(std::string_view(captured.text()).find("bus.log_refused module=chat why=\"this module may not read that\"") != std::string::npos);
  CHECK(captured.text().find("bus.log_refused") == captured.text().rfind("bus.log_refused"));
  blocking(*t.shards, [&] { reader.stop(); });
}

TEST_CASE("who has waited in vain is forgotten, though nothing is ever appended") {
  Two t;
  if (test::on_kafka()) return;
  const auto service =
      std::make_shared<bus::LogService>(std::vector{std::static_pointer_cast<bus::LogHere>(t.log)}, t.shards, BusRights(), [](const EventPtr&) {});
  service->mount(*t.line);
  bus::ReadLog request;
  request.module = "chat";
  request.limit = 10;
  request.wait = 5;
  request.topics.emplace_back().topic = "messages";
  request.topics.back().after.assign(4, 0);
  for (int turn = 0; turn < 500; ++turn) {
    Call call;
    call.route = bus::read_route;
    call.body = encode(request);
    Context context;
    bool over = false;
    auto asking = [](Line* line, Context with, Call what, bool* done) -> boost::asio::awaitable<void> {
      auto answer = co_await line->send(std::move(with), std::move(what));
      CHECK(answer);
      *done = true;
    };
    Tasks tasks;
    tasks.spawn(t.shards->executor(0), "ask", asking(t.line.get(), context, std::move(call), &over));
    t.in_time([&] { return over; });
  }
  CHECK(service->waiting() <= 64);
}

}  // namespace loggia
