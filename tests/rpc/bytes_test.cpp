// Bytes of calls: their ends, told from cuts, on both sides; their time; and that nobody holds what another does not read.
#include <doctest/doctest.h>
#include <future>
#include "discovery/waiting.hpp"
#include "http/raw_client.hpp"
#include "rpc/carrying.hpp"

using namespace loggia;
using namespace loggia::rpc::testing;
using test::in_time;

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
