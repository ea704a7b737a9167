// What a caller is told of a peer that does not answer as it should; and that nothing is sent twice that may not be.
#include <doctest/doctest.h>
#include "kernel/fixtures.hpp"
#include "loggia/kernel/rpc.hpp"
#include "rpc/peer.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::rpc::testing;

namespace {

constexpr const char *reading = "GET /books/{id}", *changing = "POST /books";

Call call_of(const char* route, bool keyed = false) {
  Call out;
  out.route = route;
  out.keyed = keyed;
  if (std::string_view(route).starts_with("POST")) out.body = R"({"title":"T"})";
  return out;
}

struct Calling {
  std::shared_ptr<Shards> shards = thread_shards(1);
  std::shared_ptr<Clock> clock = system_clock();
  std::shared_ptr<Transport> transport;

  explicit Calling(const std::string& address) {
    RpcTransportOptions options;
    options.address = address;
    options.request_max = 1000;
    options.answer_max = 1000;
    transport = rpc_transport(std::move(options), shards, clock).value();
  }
  ~Calling() { stop_shards(*shards); }
  Result<Answer> send(Call call, const Context& context) { return loggia::testing::run_on(*shards, transport->send(context, std::move(call))); }
  Result<Answer> send(Call call) { return send(std::move(call), Context().until(clock->moment() + milliseconds(10000))); }
  Errc refused(Call call) {
    const auto answer = send(std::move(call));
    return answer ? Errc::malformed : answer.error().code;
  }
};

void one_answer(Line& line) {
  line.request();
  line.answer("{}");
  line.until_closed();
}
void hangs_up(Line& line) { line.request(); }
/// Answers, then takes a second request and hangs up.
void hangs_up_later(Line& line) {
  line.request();
  line.answer("{}");
  line.request();
}

}  // namespace

TEST_CASE("a connection is kept for the next call") {
  Peer peer([](Line& line) {
    while (!line.request().empty()) line.answer("[1]");
  });
  Calling calling(peer.address());
  for (int times = 0; times < 3; ++times) CHECK(calling.send(call_of(changing)).value().body == "[1]");
  CHECK(peer.connections() == 1);
}

TEST_CASE("a connection that the peer closes, or that says more than it was asked, is not kept") {
  const std::string behind = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother";
  Peer peer({[](Line& line) {
               line.request();
               line.answer("{}", "Connection: close\r\n");
               line.until_closed();
             },
             [&behind](Line& line) {
               line.request();
               line.send(behind);
               line.until_closed();
             },
             &one_answer});
  Calling calling(peer.address());
  for (int times = 0; times < 3; ++times) CHECK(calling.send(call_of(changing)).value().body == "{}");
  CHECK(peer.connections() == 3);
}

TEST_CASE("where nobody listens, nothing happened") {
  std::uint16_t port = 0;
  const int bound = loopback_socket(port);
  Calling calling(address_of(port));
  CHECK(calling.refused(call_of(reading)) == Errc::unavailable);
  CHECK(calling.refused(call_of(changing)) == Errc::unavailable);
  ::close(bound);
}

TEST_CASE("a peer that hangs up without an answer: a change may have happened, and is not sent again") {
  Peer peer({&hangs_up, &hangs_up, &hangs_up});
  Calling calling(peer.address());
  CHECK(calling.refused(call_of(changing)) == Errc::outcome_unknown);
  CHECK(peer.connections() == 1);
  CHECK(calling.refused(call_of(reading)) == Errc::unavailable);
  CHECK(peer.connections() == 2);
  const auto keyed = calling.send(call_of(changing, true), Context().keyed("k"));
  CHECK(keyed.error().code == Errc::outcome_unknown);
  CHECK(peer.connections() == 3);
}

TEST_CASE("on a kept connection that breaks, only what may be sent twice is, and once") {
  const Context context, key = Context().keyed("k");
  const auto second_call = [](Call call, const Context& with) {
    Peer peer({&hangs_up_later, &one_answer});
    Calling calling(peer.address());
    CHECK(calling.send(call_of(changing)));
    const auto answer = calling.send(std::move(call), with);
    return std::make_pair(answer ? std::string("answer") : std::string(fault(answer.error().code).code), peer.connections());
  };
  CHECK(second_call(call_of(reading), context) == std::make_pair(std::string("answer"), 2));
  CHECK(second_call(call_of(changing, true), key) == std::make_pair(std::string("answer"), 2));
  CHECK(second_call(call_of(changing, true), context) == std::make_pair(std::string("outcome_unknown"), 1));
  CHECK(second_call(call_of(changing), key) == std::make_pair(std::string("outcome_unknown"), 1));
}

TEST_CASE("an answer that is no HTTP, or ends too early, is none") {
  for (const char* rubbish :
       {"SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "\n"}) {
    CAPTURE(rubbish);
    const auto script = [rubbish](Line& line) {
      line.request();
      line.send(rubbish);
    };
    Peer peer({script, script});
    Calling calling(peer.address());
    CHECK(calling.refused(call_of(reading)) == Errc::unavailable);
    CHECK(calling.refused(call_of(changing)) == Errc::outcome_unknown);
    CHECK(peer.connections() == 2);
  }
}

TEST_CASE("an answer that is too large is read no further") {
  const std::string much(64u << 10, 'x');
  const Peer::Script floods[] = {
      [](Line& line) { line.send("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"); },
      [](Line& line) {
        line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        line.flood("10\r\n0123456789abcdef\r\n");
      },
      [&much](Line& line) {
        line.send("HTTP/1.1 200 OK\r\nX: ");
        line.flood(much);
      },
      [&much](Line& line) {
        line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ");
        line.flood(much);
      },
      [](Line& line) { line.flood("HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"); },
  };
  int number = 0;
  for (const auto& flood : floods) {
    ++number;
    CAPTURE(number);
    const auto script = [&flood](Line& line) {
      line.request();
      flood(line);
      line.until_closed();
    };
    Peer peer({script, script});
    Calling calling(peer.address());
    CHECK(calling.refused(call_of(reading)) == Errc::internal);
    CHECK(calling.refused(call_of(changing)) == Errc::outcome_unknown);
  }
}

TEST_CASE("when the deadline is over the call is, and a late answer belongs to nobody") {
  const auto late = [](Line& line) {
    line.request();
    line.send("HTTP/1.1 200 OK\r\nContent-Le");
    line.until_closed();
    line.send("ngth: 4\r\n\r\nlate");
  };
  Peer peer({late, late, &one_answer});
  Calling calling(peer.address());
  for (const char* route : {reading, changing}) {
    const auto answer = calling.send(call_of(route), Context().until(calling.clock->moment() + milliseconds(50)));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::timeout);
  }
  CHECK(calling.send(call_of(changing)).value().body == "{}");
  CHECK(peer.connections() == 3);
}

TEST_CASE("a call without time left, or too large, is not sent") {
  Peer peer(&one_answer);
  Calling calling(peer.address());
  const auto late = calling.send(call_of(changing), Context().until(calling.clock->moment() - milliseconds(1)));
  CHECK(late.error().code == Errc::timeout);
  auto large = call_of(changing);
  large.body.assign(1001, 'x');
  CHECK(calling.refused(std::move(large)) == Errc::too_large);
  CHECK(peer.connections() == 0);
}

TEST_CASE("an error answer that is no document of ours is taken by its status") {
  const auto answered = [](std::string_view status, std::string_view type, std::string_view body) {
    std::string text = "HTTP/1.1 ";
    (((text += status) += "\r\nContent-Type: ") += type) += "\r\nContent-Length: ";
    ((text += std::to_string(body.size())) += "\r\n\r\n") += body;
    Peer peer([text](Line& line) {
      line.request();
      line.send(text);
      line.until_closed();
    });
    Calling calling(peer.address());
    return calling.refused(call_of(changing));
  };
  constexpr const char* problem = "application/problem+json";
  CHECK(answered("502 Bad Gateway", "text/html", "<h1>Bad") == Errc::internal);
  CHECK(answered("503 Away", "text/html", "<h1>Away") == Errc::unavailable);
  CHECK(answered("504 Late", "text/html", "<h1>Late") == Errc::timeout);
  CHECK(answered("404 Not Found", "text/html", "<h1>None") == Errc::internal);
  CHECK(answered("302 Found", "text/html", "") == Errc::internal);
  CHECK(answered("404 Not Found", problem, "{") == Errc::internal);
  CHECK(answered("404 Not Found", problem, "[]") == Errc::internal);
  CHECK(answered("404 Not Found", problem, R"({"detail":"x"})") == Errc::internal);
  CHECK(answered("404 Not Found", problem, R"({"code":"new_word"})") == Errc::internal);
  CHECK(answered("404 Not Found", problem, R"({"code":"not_found","detail":7,"errors":[1,{"pointer":2}]})") == Errc::not_found);
}

TEST_CASE("an address that is none is refused when the transport is made") {
  const auto shards = thread_shards(1);
  for (const char* address : {"", "here", "localhost", "127.0.0.1:0", "127.0.0.1:99999", "chat.example:80", "::1:80"}) {
    CAPTURE(address);
    RpcTransportOptions options;
    options.address = address;
    CHECK(rpc_transport(std::move(options), shards, system_clock()).error().code == Errc::invalid_request);
  }
  stop_shards(*shards);
}
