// Both ends together: what was sent arrives, what was answered comes back.
#include <doctest/doctest.h>
#include <poll.h>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include "http/raw_client.hpp"
#include "kernel/fixtures.hpp"
#include "loggia/kernel/rpc.hpp"
#include "support/print.hpp"

using namespace loggia;

namespace {

/// A listener whose one handler answers what a test says, and remembers what it was asked.
struct Pair {
  std::shared_ptr<Shards> shards = thread_shards(2);
  std::shared_ptr<loggia::testing::StandingClock> clock = std::make_shared<loggia::testing::StandingClock>();
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  std::shared_ptr<RpcListener> listener = rpc_listener(RpcListenerOptions(), shards, clock, metrics);
  std::shared_ptr<Transport> transport;
  Result<Answer> answer = Answer();
  bool throws = false;
  std::atomic<int> under_way{0}, together{0};  // an answer waits until so many are
  Context seen;
  Call asked;

  Pair() {
    clock->moment_ = Moment(std::chrono::hours(1));
    for (const char* route : {"GET /books/{id}", "POST /internal/books", "DELETE /books/{id}", "PUT /books/{id}/pages/{page}"}) {
      RouteInfo info;
      info.route = route;
      info.access = Access::internal;
      listener->on(std::move(info), [this](Context context, Call call) { return take(std::move(context), std::move(call)); });
    }
    REQUIRE(listener->start());
    RpcTransportOptions options;
    options.address = listener->address();
    transport = rpc_transport(std::move(options), shards, clock).value();
  }
  ~Pair() {
    listener->stop();
    stop_shards(*shards);
  }
  Async<Answer> take(Context context, Call call) {
    if (together == 0) {
      seen = std::move(context);
      asked = std::move(call);
    }
    ++under_way;
    while (under_way < together) co_await sleep_for(milliseconds(1));
    if (throws) throw std::runtime_error("a secret of the module");
    co_return answer;
  }
  Result<Answer> send(const char* route, const Context& context = Context()) {
    Call call;
    call.route = route;
    return send(std::move(call), context);
  }
  Result<Answer> send(Call call, const Context& context = Context()) {
    return loggia::testing::run_on(*shards, transport->send(context, std::move(call)));
  }
};

Uuid uuid(const char* text) { return Uuid::parse(text).value(); }

}  // namespace

TEST_CASE("the Context arrives: caller, deadline, trace, key, address and client") {
  Pair pair;
  Caller caller;
  caller.subject = uuid("01890000-0000-7000-8000-000000000001");
  caller.session = uuid("01890000-0000-7000-8000-000000000002");
  caller.username = "Ada % \r\nx: y";
  caller.roles = {"admin", "a,b", "ü"};
  caller.module = "gateway";
  Trace trace;
  trace.id = "0af7651916cd43dd8448eb211c80319c";
  trace.span = "b7ad6b7169203331";
  const auto deadline = pair.clock->moment() + milliseconds(5000);
  const auto sent = Context(trace, deadline).as(caller).keyed(" k: \"1\" ").from("2001:db8::7", "Firefox 140 – \"x\"; \t");
  REQUIRE(pair.send("GET /books/{id}", sent));
  const auto& seen = pair.seen;
  CHECK(seen.caller().subject == caller.subject);
  CHECK(seen.caller().session == caller.session);
  CHECK(seen.caller().username == caller.username);
  CHECK(seen.caller().roles == caller.roles);
  CHECK(seen.caller().module == caller.module);
  CHECK(seen.trace().parent() == trace.parent());
  CHECK(seen.deadline() == deadline);
  CHECK(seen.idempotency_key() == sent.idempotency_key());
  CHECK(seen.address() == sent.address());
  CHECK(seen.client() == sent.client());
}

TEST_CASE("an empty Context arrives empty") {
  Pair pair;
  REQUIRE(pair.send("GET /books/{id}"));
  CHECK_FALSE(pair.seen.caller().known());
  CHECK(pair.seen.caller().roles.empty());
  CHECK(pair.seen.trace().id.empty());
  CHECK(pair.seen.deadline() == Moment::max());
  CHECK(pair.seen.idempotency_key().empty());
}

TEST_CASE("parameters and body arrive as they were sent, also what no path could carry") {
  Pair pair;
  Call call;
  call.route = "PUT /books/{id}/pages/{page}";
  call.path = {{"id", "a/b"}, {"page", ".."}};
  call.query = {{"q", ""}, {"a&b", "c=d+e f%20"}, {"ü", std::string("\0\r\n", 3)}};
  call.body = R"({"text":"ü"})";
  REQUIRE(pair.send(call));
  CHECK(pair.asked.route == call.route);
  CHECK(pair.asked.path == call.path);
  CHECK(pair.asked.query == call.query);
  CHECK(pair.asked.body == call.body);
  CHECK_FALSE(pair.asked.strict);
  for (const char* route : {"DELETE /books/{id}", "POST /internal/books"}) {
    CHECK(pair.send(route));
    CHECK(pair.asked.route == route);
    CHECK(pair.asked.body.empty());
  }
}

TEST_CASE("an answer comes back with its status and body") {
  Pair pair;
  pair.answer->status = 201;
  pair.answer->body = "{\"text\":\"" + std::string(3u << 20, 'x') + "\"}";
  const auto created = pair.send("POST /internal/books");
  CHECK(created.value().status == 201);
  CHECK((created.value().body == pair.answer->body));
  pair.answer->status = 204;
  pair.answer->body.clear();
  CHECK(pair.send("DELETE /books/{id}").value().status == 204);
}

TEST_CASE("an error comes back as the same error, of every kind") {
  Pair pair;
  for (int kind = 0; kind <= static_cast<int>(Errc::insufficient_storage); ++kind) {
    CAPTURE(kind);
    Error error(static_cast<Errc>(kind), "what \"went\" wrong: ü\n");
    if (kind % 2 == 0) error.retry_after = kind;
    if (kind % 3 == 0) error.fields = {{"/a~1b", "is \"wrong\""}, {"", "too"}};
    pair.answer = error;
    const auto answer = pair.send("POST /internal/books");
    REQUIRE_FALSE(answer);
    const auto got = answer.error();
    CHECK(got.code == error.code);
    CHECK(got.detail == error.detail);
    CHECK(got.retry_after == error.retry_after);
    REQUIRE(got.fields.size() == error.fields.size());
    for (std::size_t at = 0; at < got.fields.size(); ++at) {
      CHECK(got.fields[at].pointer == error.fields[at].pointer);
      CHECK(got.fields[at].detail == error.fields[at].detail);
    }
  }
}

TEST_CASE("what a module throws is internal, and its words stay in its log") {
  Pair pair;
  pair.throws = true;
  const auto answer = pair.send("POST /internal/books");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Errc::internal);
  CHECK(answer.error().detail.find("secret") == std::string::npos);
}

TEST_CASE("what was open at once in a rush serves the next one, and is closed when nobody needs it any more") {
  Pair pair;
  auto& open = pair.metrics->gauge("loggia_http_connections", "", {{"server", "rpc"}});
  const auto rush = [&pair](int count) {
    pair.under_way = 0;
    pair.together = count;
    std::vector<std::future<Result<Answer>>> sent;
    for (int at = 0; at < count; ++at) {
      Call call;
      call.route = "GET /books/{id}";
      sent.push_back(boost::asio::co_spawn(pair.shards->executor(0), pair.transport->send(Context(), std::move(call)), boost::asio::use_future));
    }
    for (auto& one : sent) CHECK(one.get());
  };
  rush(40);
  CHECK(open.value() == 40);
  rush(40);
  CHECK(open.value() == 40);
  loggia::testing::run_on(*pair.shards, [](Pair& of) -> boost::asio::awaitable<void> {
    of.clock->moment_ += std::chrono::seconds(21);
    co_return;
  }(pair));
  rush(1);  // on a new one
  for (int turn = 0; turn < 2000 && open.value() > 1; ++turn) ::poll(nullptr, 0, 5);
  CHECK(open.value() == 1);
}

TEST_CASE("a request that is not answered here is a mistake between versions, never the module's not_found") {
  Pair pair;
  for (const char* route : {"GET /books", "POST /books/{id}", "GET /shelves/{id}"}) CHECK(pair.send(route).error().code == Errc::internal);
}

TEST_CASE("headers that no transport writes are refused, and nothing else is served") {
  Pair pair;
  const auto status = [&pair](const std::string& target, const std::string& header) {
    http::RawClient client(pair.listener->address());
    client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + header + "\r\n");
    return client.response().status;
  };
  CHECK(status("/rpc/books/%7Bid%7D", "") == 200);
  CHECK(status("/rpc/books/{id}", "") == 200);
  CHECK(status("/books/%7Bid%7D", "") == 500);
  CHECK(status("/", "") == 500);
  for (const char* header :
       {"loggia-subject: ada\r\n", "loggia-session: 1\r\n", "loggia-username: %\r\n", "loggia-roles: a,%zz\r\n", "loggia-timeout: -1\r\n",
        "loggia-timeout: soon\r\n", "loggia-timeout: 99999999999999\r\n", "traceparent: 00-1-2-01\r\n", "idempotency-key: %g\r\n"}) {
    CAPTURE(header);
    CHECK(status("/rpc/books/%7Bid%7D", header) == 400);
  }
}

TEST_CASE("without mTLS it listens on loopback only; routes come once, and before the start") {
  const auto shards = thread_shards(1);
  for (const char* listen : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "nowhere"}) {
    RpcListenerOptions options;
    options.listen = listen;
    CHECK(rpc_listener(std::move(options), shards, system_clock(), std::make_shared<Metrics>())->start().error().code == Errc::invalid_request);
  }
  stop_shards(*shards);
  Pair pair;
  RouteInfo info;
  info.route = "GET /more";
  CHECK_THROWS_AS(pair.listener->on(info, RouteHandler()), std::logic_error);
  const auto fresh = rpc_listener(RpcListenerOptions(), pair.shards, pair.clock, std::make_shared<Metrics>());
  fresh->on(info, RouteHandler());
  CHECK_THROWS_AS(fresh->on(info, RouteHandler()), std::logic_error);
}
