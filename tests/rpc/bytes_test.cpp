// Bytes of calls: their ends, told from cuts, on both sides; their time; and that nobody holds what another does not read.
#include <doctest/doctest.h>
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include "discovery/waiting.hpp"
#include "http/raw_client.hpp"
#include "kernel/fixtures.hpp"
#include "loggia/kernel/module.hpp"
#include "loggia/kernel/rpc.hpp"
#include "rpc/peer.hpp"
#include "support/certificates.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::rpc::testing;
using test::in_time;

namespace {

constexpr const char *taking = "POST /books", *giving = "GET /books", *trading = "POST /trades";

/// Gives as much as it is asked for: of `size` bytes, or without an end; or waits for its deadline.
class Giving final : public ByteSource {
 public:
  struct Seen {
    std::atomic<std::int64_t> bytes{0};
    std::atomic<bool> waits{false}, dropped{false};
  };
  Giving(std::shared_ptr<Clock> clock, Seen& seen, std::int64_t size, bool then_waits)
      : clock_{std::move(clock)}, seen_{seen}, left_{size}, then_waits_{then_waits} {}
  ~Giving() override { seen_.dropped = true; }
  Async<std::string> read(Moment deadline) override {
    if (left_ == 0 && then_waits_) {
      seen_.waits = true;
      const auto left = deadline == Moment::max() ? milliseconds(60000) : std::chrono::ceil<milliseconds>(deadline - clock_->moment());
      auto slept = co_await sleep_for(std::max(left, milliseconds(0)));
      if (!slept) co_return slept.error();
      co_return Error(Errc::timeout, "the source was late");
    }
    const auto size = std::min<std::int64_t>(left_, ByteStream::piece_max);
    left_ -= size;
    seen_.bytes += size;
    co_return std::string(static_cast<std::size_t>(size), 'b');
  }

 private:
  const std::shared_ptr<Clock> clock_;
  Seen& seen_;
  std::int64_t left_;
  const bool then_waits_;
};

struct Drunk {
  std::int64_t bytes = 0;
  std::optional<Error> error;
};
Async<Drunk> drink(ByteStream bytes, Moment deadline, std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
  Drunk out;
  while (out.bytes < most) {
    auto piece = co_await bytes.read(deadline);
    if (!piece) out.error = piece.error();
    if (!piece || piece->empty()) break;
    CHECK(piece->size() <= ByteStream::piece_max);
    out.bytes += static_cast<std::int64_t>(piece->size());
  }
  co_return out;
}

/// A listener of the module `library` with mTLS, and a transport of `shop` to it.
struct Carrying {
  test::Certificates certificates;
  std::shared_ptr<Shards> shards = thread_shards(2);
  std::shared_ptr<Clock> clock = system_clock();
  std::shared_ptr<RpcListener> listener;
  std::shared_ptr<InstanceTransport> transport;
  std::mutex mutex;
  std::optional<Drunk> heard;  // of the bytes that came
  ByteStream kept;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();  // that the handler reads
  Giving::Seen given;
  std::int64_t size = 0;  // of what is given
  bool then_waits = false;

  explicit Carrying(bool tls = true, milliseconds step = milliseconds(30000)) {
    RpcListenerOptions options;
    if (tls) options.tls = MutualTls::load(certificates.of("library")).value();
    options.permits = [](const std::string&, std::string_view) { return RpcPermission::itself; };
    listener = rpc_listener(std::move(options), shards, clock, std::make_shared<Metrics>());
    RouteInfo info;
    info.access = Access::internal;
    info.route = taking;
    info.takes_bytes = true;
    listener->on(info, [this](Context context, Call call) { return take(std::move(context), std::move(call)); });
    info.route = trading;
    info.gives_bytes = true;
    listener->on(info, [this](const Context& context, Call call) { return trade(context, std::move(call)); });
    info.route = giving;
    info.takes_bytes = false;
    info.gives_bytes = true;
    listener->on(info, [this](const Context&, const Call&) { return give(); });
    REQUIRE(listener->start());
    RpcTransportOptions to;
    to.address = listener->address();
    to.module = "library";
    to.call_timeout = step;
    if (tls) to.tls = MutualTls::load(certificates.of("shop")).value();
    transport = rpc_transport(std::move(to), shards, clock).value();
  }
  ~Carrying() {
    kept = ByteStream();
    listener->stop();
    stop_shards(*shards);
  }

  Async<Answer> take(Context context, Call call) {
    kept = call.bytes;
    auto work = drink(call.bytes, context.deadline(), most);
    auto all = co_await std::move(work);
    {
      const std::lock_guard lock(mutex);
      heard = *all;
    }
    if (all->error) co_return *all->error;
    Answer out;
    out.body = std::to_string(all->bytes);
    co_return out;
  }
  Async<Answer> give() {
    Answer out;
    out.body = R"({"title":"ü"})";
    out.bytes = ByteStream(std::make_shared<Giving>(clock, given, size, then_waits));
    co_return out;
  }
  /// Answers when it has read the first piece.
  Async<Answer> trade(Context context, Call call) {
    auto first = co_await call.bytes.read(context.deadline());
    if (!first) co_return first.error();
    auto given = give();
    co_return co_await std::move(given);
  }
  std::optional<Drunk> heard_now() {
    const std::lock_guard lock(mutex);
    return heard;
  }
  Result<Answer> post(ByteStream bytes, milliseconds within = milliseconds(10000)) {
    Call call;
    call.route = taking;
    call.bytes = std::move(bytes);
    return loggia::testing::run_on(*shards, transport->send(Context().until(clock->moment() + within), std::move(call)));
  }
  Result<Answer> get(milliseconds within = milliseconds(10000)) {
    Call call;
    call.route = giving;
    call.wants_bytes = true;
    return loggia::testing::run_on(*shards, transport->send(Context().until(clock->moment() + within), std::move(call)));
  }
  Drunk drunk(const ByteStream& bytes, std::int64_t at_most = std::numeric_limits<std::int64_t>::max()) {
    return loggia::testing::run_on(*shards, drink(bytes, Moment::max(), at_most)).value();
  }
};

const std::string post_head = "POST /rpc/books HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n";
const std::string bytes_head = "HTTP/1.1 200 OK\r\nloggia-reply: %7B%7D\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What a caller gets of a peer that says this.
struct Telling {
  std::shared_ptr<Shards> shards = thread_shards(1);
  std::shared_ptr<Clock> clock = system_clock();
  std::shared_ptr<Transport> transport;
  Peer peer;
  explicit Telling(Peer::Script script) : peer{std::move(script)} {
    RpcTransportOptions options;
    options.address = peer.address();
    options.answer_max = 1000;
    transport = rpc_transport(std::move(options), shards, clock).value();
  }
  ~Telling() { stop_shards(*shards); }
  Result<Answer> get(milliseconds within = milliseconds(10000)) {
    Call call;
    call.route = giving;
    call.wants_bytes = true;
    return loggia::testing::run_on(*shards, transport->send(Context().until(clock->moment() + within), std::move(call)));
  }
  Drunk drunk(const ByteStream& bytes) { return loggia::testing::run_on(*shards, drink(bytes, Moment::max())).value(); }
};

}  // namespace

TEST_CASE("a stream of bytes has one end, which stays, and one reader") {
  const auto shards = thread_shards(1);
  const auto read = [&](const ByteStream& bytes) { return loggia::testing::run_on(*shards, bytes.read(Moment::max())); };
  CHECK(read(ByteStream()).value().empty());
  const auto bytes = bytes_of(std::string(ByteStream::piece_max + 1, 'x'));
  CHECK(read(bytes).value().size() == ByteStream::piece_max);
  const auto copy = bytes;
  CHECK(read(copy).value() == "x");
  CHECK(read(bytes).value().empty());
  CHECK(read(copy).value().empty());
  bytes.close();
  CHECK(read(bytes).value().empty());  // it was over
  const auto closed = bytes_of("x");
  closed.close();
  CHECK(read(closed).error().code == Errc::unavailable);
  stop_shards(*shards);
}

TEST_CASE("what is beside bytes arrives, and far more than an answer may be") {
  Carrying pair;
  pair.size = 20 << 20;
  const auto answer = pair.get().value();
  CHECK(answer.body == R"({"title":"ü"})");
  const auto all = pair.drunk(answer.bytes);
  CHECK(!all.error);
  CHECK(all.bytes == pair.size);
  Giving::Seen seen;
  CHECK(pair.post(ByteStream(std::make_shared<Giving>(pair.clock, seen, 20 << 20, false))).value().body == std::to_string(20 << 20));
}

TEST_CASE("an answer that is cut within its bytes, or is no sequence of chunks, is never a whole one") {
  for (const std::string rest : {"", "5\r\nbooks\r\n", "5\r\nboo", "5\r\nbooks\r\n0\r\n", "5\r\nbooks\r\nx\r\n\r\n"}) {
    CAPTURE(rest);
    Telling told([&rest](Line& line) {
      line.request();
      line.send(bytes_head + rest);
    });
    const auto answer = told.get().value();
    const auto all = told.drunk(answer.bytes);
    REQUIRE(all.error);
    CHECK(all.error->code == Errc::unavailable);
    CHECK(told.drunk(answer.bytes).error);  // it stays
  }
}

TEST_CASE("bytes whose end cannot be told from a cut are none, and an error comes as itself") {
  Telling length([](Line& line) {
    line.request();
    line.send("HTTP/1.1 200 OK\r\nloggia-reply: %7B%7D\r\nContent-Length: 5\r\n\r\nbooks");
  });
  CHECK_FALSE(length.get().value().bytes);
  Telling until_closed([](Line& line) {
    line.request();
    line.send("HTTP/1.1 200 OK\r\nloggia-reply: %7B%7D\r\n\r\nbooks");
  });
  CHECK_FALSE(until_closed.get().value().bytes);
  Telling too_large([](Line& line) {
    line.request();
    line.answer(std::string(2000, 'x'));
  });
  CHECK(too_large.get().error().code == Errc::internal);
  Telling refusing([](Line& line) {
    line.request();
    line.send(
        "HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nContent-Length: 37\r\n\r\n"
        R"({"code":"not_found","detail":"no ü"})");
  });
  const auto refused = refusing.get();
  REQUIRE(!refused);
  CHECK(refused.error().code == Errc::not_found);
  CHECK(refused.error().detail == "no ü");
}

TEST_CASE("a deadline ends bytes on both sides, and without one no step of it takes longer than a call may") {
  // Far more than is needed for what has to come before, on a machine that is busy; so all of it waits at the same time.
  constexpr milliseconds limit(2000);
  Carrying sending, receiving, without(true, limit);
  for (auto* one : {&receiving, &without}) {
    one->size = 100000;
    one->then_waits = true;
  }
  Telling silent([](Line& line) {
    line.request();
    line.send(bytes_head + "5\r\nbooks\r\n");
    line.until_closed();
  });
  Giving::Seen seen;
  auto posted =
      std::async(std::launch::async, [&] { return sending.post(ByteStream(std::make_shared<Giving>(sending.clock, seen, 100000, true)), limit); });
  auto received = std::async(std::launch::async, [&] { return receiving.drunk(receiving.get(limit).value().bytes); });
  auto stepped = std::async(std::launch::async, [&] {
    Call call;
    call.route = giving;
    call.wants_bytes = true;
    return without.drunk(loggia::testing::run_on(*without.shards, without.transport->send(Context(), std::move(call))).value().bytes);
  });
  auto told = std::async(std::launch::async, [&] { return silent.drunk(silent.get(limit).value().bytes); });

  const auto up = posted.get();
  REQUIRE(!up);
  CHECK(up.error().code == Errc::timeout);
  CHECK(in_time([&] { return sending.heard_now() && sending.heard_now()->error; }));
  CHECK(sending.heard_now()->bytes == 100000);
  const auto down = received.get();
  REQUIRE(down.error);
  CHECK(down.bytes == 100000);
  // Whoever looks first: here the time is over, or the other side has seen that it is.
  CHECK((down.error->code == Errc::timeout || down.error->code == Errc::unavailable));
  CHECK(in_time([&] { return receiving.given.dropped.load(); }));
  const auto step = stepped.get();
  REQUIRE(step.error);
  CHECK(step.error->code == Errc::timeout);
  CHECK(step.bytes == 100000);
  const auto late = told.get();
  REQUIRE(late.error);
  CHECK(late.error->code == Errc::timeout);
  CHECK(late.bytes == 5);
}

TEST_CASE("a handler hears that the request was cut, is wrong or late, and none of it is a whole one") {
  Carrying pair(false);
  {
    http::RawClient client(pair.listener->address());
    client.send(post_head + "\r\n5\r\nbooks\r\n");
  }
  REQUIRE(in_time([&] { return pair.heard_now().has_value(); }));
  CHECK(pair.heard_now()->error.value().code == Errc::unavailable);
  pair.heard.reset();
  http::RawClient wrong(pair.listener->address());
  wrong.send(post_head + "\r\n5\r\nbooks\r\nx\r\n");
  const auto refused = wrong.response();
  CHECK(refused.status == 400);
  CHECK(refused.says("connection: close"));
  CHECK(pair.heard_now()->error.value().code == Errc::malformed);
  http::RawClient slow(pair.listener->address());
  slow.send(post_head + "loggia-timeout: 200\r\n\r\n5\r\nbooks\r\n");
  CHECK(slow.response().status == 504);
  CHECK(pair.heard_now()->error.value().code == Errc::timeout);
  CHECK(pair.heard_now()->bytes == 5);
}

TEST_CASE("a connection goes on after bytes that were read to their end, and not after others") {
  Carrying pair(false);
  pair.size = 3;
  http::RawClient client(pair.listener->address());
  const std::string get = "GET /rpc/books HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(post_head + "\r\n5\r\nbooks\r\n0\r\n\r\n" + get + get + post_head + "Expect: 100-continue\r\n\r\n");
  CHECK(client.response().body == "5");
  for (int times = 0; times < 2; ++times) {
    CHECK(client.take_until("\r\n\r\n").find("transfer-encoding: chunked") != std::string::npos);
    CHECK(client.take_until("0\r\n\r\n") == "3\r\nbbb\r\n0\r\n\r\n");
  }
  CHECK(client.take_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("1\r\nx\r\n0\r\n\r\n");
  CHECK(client.response().body == "1");
  pair.most = 1;  // it wants no more
  client.send(post_head + "\r\n5\r\nbooks\r\n");
  CHECK(client.response().says("connection: close"));
  CHECK(client.ended());
  // An HTTP/1.0 client could not tell an end from a cut.
  http::RawClient old(pair.listener->address());
  old.send("GET /rpc/books HTTP/1.0\r\nHost: a\r\n\r\n");
  CHECK(old.response().status == 505);
}

TEST_CASE("with the answer a request's bytes are over") {
  Carrying pair;
  pair.most = 1;
  Giving::Seen seen;
  CHECK(pair.post(ByteStream(std::make_shared<Giving>(pair.clock, seen, 64 << 20, false))));
  CHECK(seen.bytes < 32 << 20);
  const auto later = loggia::testing::run_on(*pair.shards, pair.kept.read(Moment::max()));
  REQUIRE(!later);
  CHECK(later.error().code == Errc::unavailable);
}

TEST_CASE("who hangs up while an answer waits for its source has it dropped, and a stop cuts what is under way") {
  for (const bool stops : {false, true}) {
    Carrying pair;
    pair.size = 10;
    pair.then_waits = true;
    auto answer = pair.get(milliseconds(60000));
    REQUIRE(answer);
    CHECK(in_time([&] { return pair.given.waits.load(); }));
    CHECK_FALSE(pair.listener->drained());
    if (stops) pair.listener->stop();
    else
      loggia::testing::run_on(*pair.shards, [](Result<Answer>* held) -> boost::asio::awaitable<bool> {
        *held = Error(Errc::unavailable, "dropped");
        co_return true;
      }(&answer));
    CHECK(in_time([&] { return pair.given.dropped.load(); }));
    CHECK(in_time([&] { return pair.listener->drained(); }));
    if (stops) CHECK(pair.drunk(answer->bytes).error);
  }
}

TEST_CASE("who sends on while it is answered is read, so that neither waits for the other, and has its end noticed") {
  Carrying pair(false);
  const std::string head = "POST /rpc/trades HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  {
    pair.size = 16 << 20;
    http::RawClient client(pair.listener->address());
    client.send(head);
    // It reads nothing before it has sent all of it, which is more than sockets hold.
    for (int times = 0; times < 32 << 4; ++times) client.send(chunk);
    const auto answer = client.rest();
    CHECK(answer.size() > 16u << 20);
    CHECK(answer.ends_with("\r\n0\r\n\r\n"));
  }
  pair.given.dropped = pair.given.waits = false;
  pair.size = 10;
  pair.then_waits = true;
  {
    http::RawClient client(pair.listener->address());
    client.send(head + chunk + chunk + chunk);
    REQUIRE(in_time([&] { return pair.given.waits.load(); }));
    CHECK_FALSE(pair.given.dropped);
  }
  CHECK(in_time([&] { return pair.given.dropped.load(); }));
}

TEST_CASE("who asks on while an answer waits for its source has its end noticed") {
  Carrying pair(false);
  pair.size = 10;
  pair.then_waits = true;
  const std::string get = "GET /rpc/books HTTP/1.1\r\nHost: a\r\n\r\n";
  {
    http::RawClient client(pair.listener->address());
    client.send(get + get);
    REQUIRE(in_time([&] { return pair.given.waits.load(); }));
    client.send(get);
  }
  CHECK(in_time([&] { return pair.given.dropped.load(); }));
}

TEST_CASE("a source that fails is what the caller is told, and the peer sees a cut") {
  class Failing final : public ByteSource {
   public:
    Async<std::string> read(Moment) override {
      if (count_++ < 3) co_return std::string("piece");
      co_return Error(Errc::insufficient_storage, "of the source");
    }

   private:
    int count_ = 0;
  };
  Carrying pair;
  const auto answer = pair.post(ByteStream(std::make_shared<Failing>()));
  REQUIRE(!answer);
  CHECK(answer.error().code == Errc::insufficient_storage);
  REQUIRE(in_time([&] { return pair.heard_now().has_value(); }));
  CHECK(pair.heard_now()->error.value().code == Errc::unavailable);
  CHECK(pair.heard_now()->bytes == 15);
}

TEST_CASE("a caller without a right sends nothing, and a peer that is away was not asked") {
  Carrying pair;
  Giving::Seen seen;
  RpcTransportOptions options;
  options.address = address_of(1);
  const auto away = rpc_transport(std::move(options), pair.shards, pair.clock).value();
  Call call;
  call.route = taking;
  call.bytes = ByteStream(std::make_shared<Giving>(pair.clock, seen, 100, false));
  auto reach = InstanceTransport::Reach::untried;
  CHECK(loggia::testing::run_on(*pair.shards, away->attempt(Context(), call, &reach)).error().code == Errc::unavailable);
  CHECK(reach == InstanceTransport::Reach::unsent);
  CHECK(seen.bytes == 0);
  CHECK(pair.post(call.bytes).value().body == "100");  // so another instance gets all of it
}

TEST_CASE("what is asked beside bytes that come back is no larger than any request") {
  const auto shards = thread_shards(1);
  RpcTransportOptions options;
  options.address = address_of(1);
  options.request_max = 1000;
  const auto transport = rpc_transport(std::move(options), shards, system_clock()).value();
  Call call;
  call.route = taking;
  call.wants_bytes = true;
  call.body.assign(1001, ' ');
  auto reach = InstanceTransport::Reach::untried;
  CHECK(loggia::testing::run_on(*shards, transport->attempt(Context(), call, &reach)).error().code == Errc::too_large);
  CHECK(reach == InstanceTransport::Reach::untried);
  stop_shards(*shards);
}
