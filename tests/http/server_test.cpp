// The listener on a real socket: what a client that speaks HTTP, badly or well, gets from it.
#include <semaphore>
#include "fixture.hpp"
#include "support/fakes.hpp"

namespace loggia::http {
namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_CASE("a connection is kept alive, and answers come in the order of the requests") {
  Listening here;
  RawClient client(here.server->address());
  client.send("GET /a?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.response().body == "GET /a x=1");
  std::string many;
  for (int i = 0; i < 50; ++i) many += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n" + std::to_string(10 + i);
  client.send(many);
  for (int i = 0; i < 50; ++i) CHECK(client.response().body == std::to_string(10 + i));
  client.send("GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const auto last = client.response();
  CHECK(last.says("connection: close"));
  CHECK(client.ended());
}

TEST_CASE("headers by which modules name a caller reach no handler from outside, and are counted") {
  const auto seen = [](bool takes_identity) {
    HttpServerOptions options;
    options.takes_identity = takes_identity;
    Listening here(options);
    RawClient client(here.server->address());
    client.send("GET /identity HTTP/1.1\r\nHost: a\r\nLoggia-Subject: b\r\nloggia-roles: admin\r\nLOGGIA-MODULE: c\r\nx-loggia-d: e\r\n\r\n");
    const auto body = client.response().body;
    client.send("GET /identity HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.response().body == "0");
    const auto counted = here.metrics.counter("loggia_http_forged_identity_total", "", {{"server", "http"}}).value();
    return std::make_pair(body, counted);
  };
  CHECK(seen(false) == std::make_pair(std::string("0"), std::uint64_t{1}));
  CHECK(seen(true) == std::make_pair(std::string("3"), std::uint64_t{0}));
}

TEST_CASE("a chunked body is joined, and an expected 100 is sent") {
  Listening here;
  RawClient client(here.server->address());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.take_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("5\r\nhello\r\n");
  client.send("7\r\n, there\r\n0\r\n\r\n" + get);
  CHECK(client.response().body == "hello, there");
  CHECK(client.response().body == "GET /");
}

TEST_CASE("a body that is too large is 413 as a problem document, and the connection ends") {
  HttpServerOptions options;
  options.body_max = 1000;
  Listening here(options);
  SUBCASE("by its length") {
    RawClient client(here.server->address());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'));
    const auto refused = client.response();
    CHECK(refused.status == 413);
    CHECK(refused.says("application/problem+json"));
    client.shut();
    CHECK(client.ended());
  }
  SUBCASE("in chunks") {
    RawClient client(here.server->address());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n");
    CHECK(client.response().status == 413);
  }
}

TEST_CASE("after a request that is refused the next one is not read") {
  Listening here;
  RawClient client(here.server->address());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n" + get);
  client.shut();
  const auto refused = client.response();
  CHECK(refused.status == 400);
  CHECK(refused.says("connection: close"));
  CHECK(client.ended());
}

TEST_CASE("HEAD and 204 have no body") {
  Listening here;
  RawClient client(here.server->address());
  client.send(
      "HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n" +
      get);
  CHECK(client.response(false).says("content-length: 9"));
  const auto empty = client.response();
  CHECK(empty.status == 204);
  CHECK_FALSE(empty.says("content-length"));
  CHECK(client.response().body == "GET /");
}

TEST_CASE("a shared body of megabytes arrives whole") {
  Listening here;
  RawClient client(here.server->address());
  client.send("GET /shared HTTP/1.1\r\nHost: a\r\n\r\n" + get);
  CHECK(client.response().body == std::string(3u << 20, 's'));
  CHECK(client.response().body == "GET /");
}

TEST_CASE("what a handler throws is 500, and so is a header that would split the answer") {
  Listening here;
  RawClient client(here.server->address());
  client.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\nGET /split HTTP/1.1\r\nHost: a\r\n\r\n" + get);
  CHECK(client.response().status == 500);
  const auto split = client.response();
  CHECK(split.status == 500);
  CHECK_FALSE(split.says("b: c"));
  CHECK(client.response().status == 200);
}

TEST_CASE("a head or body that does not come is 408, an idle connection ends without a word") {
  HttpServerOptions options;
  options.header_timeout = options.body_timeout = options.idle_timeout = milliseconds(60);
  Listening here(options);
  RawClient head(here.server->address()), body(here.server->address()), idle(here.server->address()), silent(here.server->address());
  head.send("GET / HTTP/1.1\r\nHos");
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
  idle.send(get);
  CHECK(head.response().status == 408);
  CHECK(body.response().status == 408);
  CHECK(idle.response().status == 200);
  CHECK(idle.ended());
  CHECK(silent.ended());
}

TEST_CASE("beyond connections_max one is turned away with 503") {
  HttpServerOptions options;
  options.connections_max = 1;
  Listening here(options);
  RawClient first(here.server->address());
  first.send(get);
  CHECK(first.response().status == 200);
  RawClient second(here.server->address());
  CHECK(second.response().status == 503);
}

TEST_CASE("a drain ends idle connections, lets running requests finish and takes no new ones") {
  Listening here;
  const auto address = here.server->address();
  RawClient idle(address), busy(address);
  idle.send(get);
  CHECK(idle.response().status == 200);
  busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  // Another request on the same listener has been answered, so this one has begun or is in the socket: either finishes.
  for (auto tries = 0; tries < 1000 && here.server->connections() < 2; ++tries) here.on_shards([] {});
  here.on_shards([] {});
  here.server->drain();
  CHECK(idle.ended());
  CHECK_THROWS(RawClient(address).send(get));
  here.go->store(true);
  const auto answer = busy.response();
  CHECK(answer.body == "GET /wait");
  CHECK(answer.says("connection: close"));
  busy.shut();
  CHECK(busy.ended());
}

TEST_CASE("a listener is drained when no handler runs") {
  Listening here;
  CHECK(here.server->drained());
  RawClient busy(here.server->address());
  busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  for (auto tries = 0; tries < 100000 && here.server->drained(); ++tries) here.on_shards([] {});
  CHECK_FALSE(here.server->drained());
  here.go->store(true);
  CHECK(busy.response().status == 200);
  for (auto tries = 0; tries < 100000 && !here.server->drained(); ++tries) here.on_shards([] {});
  CHECK(here.server->drained());
}

TEST_CASE("a stop ends connections, running handlers among them, and waits for all") {
  Listening here;
  RawClient idle(here.server->address()), busy(here.server->address());
  idle.send(get);
  CHECK(idle.response().status == 200);
  busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  here.server->stop();
  CHECK(here.server->connections() == 0);
  CHECK(idle.ended());
  CHECK(busy.ended());
}

TEST_CASE("that a crowd has gone is told, and told again when what is known of it for minutes is over") {
  std::counting_semaphore<> calm{0};
  HttpServerOptions options;
  options.header_timeout = milliseconds(20);  // it looks around at a quarter of the shortest
  options.on_calm = [&calm] { calm.release(); };
  const auto clock = std::make_shared<loggia::test::FakeClock>();
  Listening here(std::move(options), clock);
  {
    std::vector<std::unique_ptr<RawClient>> crowd;
    for (int n = 0; n < 120; ++n) {
      crowd.push_back(std::make_unique<RawClient>(here.server->address()));
      crowd.back()->send(get);
      CHECK(crowd.back()->response().status == 200);
    }
    CHECK_FALSE(calm.try_acquire());
  }
  CHECK(calm.try_acquire_for(std::chrono::seconds(10)));
  CHECK_FALSE(calm.try_acquire());
  clock->advance(std::chrono::minutes(3));
  CHECK(calm.try_acquire_for(std::chrono::seconds(10)));
}

TEST_CASE("a second listener on the same port says that it is in use") {
  Listening here;
  HttpServerOptions options;
  options.listen = here.server->address();
  const auto second = http_server(options, here.shards, here.clock, here.metrics, HttpHandlers());
  const auto started = second->start();
  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().detail.find(options.listen) != std::string::npos);
  CHECK(started.error().detail.find("Another process has that port") != std::string::npos);
  options.listen = "nowhere";
  CHECK_FALSE(http_server(options, here.shards, here.clock, here.metrics, HttpHandlers())->start().has_value());
}

TEST_CASE("requests and connections are counted") {
  Listening here;
  RawClient client(here.server->address());
  client.send(get + "\r\nGET / HTTP/3.0\r\n\r\n");
  CHECK(client.response().status == 200);
  CHECK(client.response().status == 505);
  const auto text = here.metrics.text();
  CHECK(text.find("loggia_http_connections{server=\"http\"} 1") != std::string::npos);
  CHECK(text.find("loggia_http_requests_total{server=\"http\",status=\"2xx\"} 1") != std::string::npos);
  CHECK(text.find("loggia_http_requests_total{server=\"http\",status=\"5xx\"} 1") != std::string::npos);
}

}  // namespace
}  // namespace loggia::http
