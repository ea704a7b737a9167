// Upgraded connections on a real socket.
#include "http/websocket.hpp"
#include "fixture.hpp"
#include "support/fakes.hpp"

namespace loggia::http::of_websocket {
namespace {

SharedBytes shared(std::string_view text) { return std::make_shared<const std::string>(frame_text(text)); }

struct Connected : Listening {
  explicit Connected(HttpServerOptions options = HttpServerOptions(), std::shared_ptr<Clock> time = system_clock())
      : Listening{std::move(options), std::move(time)}, client{server->address()} {
    client.send(connect_text());
    handshake = client.take_until("\r\n\r\n");
  }
  /// On the socket's shard, and waits for it.
  template <class F> void on_socket(F work) {
    std::promise<void> done;
    const auto socket = sockets->first();
    shards->post(socket->shard(), [&] {
      work(*socket);
      done.set_value();
    });
    done.get_future().wait();
  }
  RawClient client;
  std::string handshake;
};

ClientFrame frame(int opcode, bool fin = true) {
  ClientFrame out;
  out.opcode = opcode;
  out.fin = fin;
  return out;
}

TEST_CASE("a handshake is answered as RFC 6455 says") {
  Connected here;
  CHECK(here.handshake.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(here.handshake.find("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
  CHECK(here.handshake.find("sec-websocket-protocol: loggia.v1\r\n") != std::string::npos);
}

TEST_CASE("with permessage-deflate agreed on, messages are compressed both ways; without, never") {
  Connected without;
  CHECK(without.handshake.find("sec-websocket-extensions") == std::string::npos);
  for (const auto* path : {"/deflate", "/socket"}) {
    Listening here;
    RawClient client(here.server->address());
    auto request = here.connect_text(path);
    request.insert(request.size() - 2, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    client.send(request);
    const auto handshake = client.take_until("\r\n\r\n");
    const bool agreed = handshake.find("sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n") !=
                        std::string::npos;
    CHECK(agreed == (path == std::string("/deflate")));
    const std::string text(500, 'x');
    client.send(client_frame(text));
    const auto [first, payload] = client.frame();
    CHECK(first == (agreed ? 0xC1 : 0x81));
    CHECK((payload.size() < 50) == agreed);
    if (!agreed) continue;
    ClientFrame compressed;
    compressed.reserved = 4;
    client.send(client_frame(payload, compressed));  // what it sent is what it reads
    CHECK(client.frame() == std::pair<int, std::string>(first, payload));
  }
}

TEST_CASE("a key is 16 bytes in base64") {
  CHECK(is_websocket_key("dGhlIHNhbXBsZSBub25jZQ=="));
  for (const std::string key : {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBsZSBub25jZQ==="})
    CHECK_FALSE(is_websocket_key(key));
}

TEST_CASE("messages are echoed, whole, in fragments, and with a ping between") {
  Connected here;
  here.client.send(client_frame("one"));
  CHECK(here.client.frame() == std::pair<int, std::string>(0x81, "one"));
  here.client.send(client_frame("tw", frame(1, false)));
  here.client.send(client_frame("beat", frame(9)));
  CHECK(here.client.frame() == std::pair<int, std::string>(0x8A, "beat"));
  here.client.send(client_frame("o", frame(0)));
  CHECK(here.client.frame() == std::pair<int, std::string>(0x81, "two"));
  CHECK(here.sockets->alive > 0);
}

TEST_CASE("bytes that come with the handshake are not lost") {
  Listening here;
  RawClient client(here.server->address());
  client.send(here.connect_text() + client_frame("early") + client_frame("bird"));
  client.take_until("\r\n\r\n");
  CHECK(client.frame().second == "early");
  CHECK(client.frame().second == "bird");
}

TEST_CASE("pings are answered in order") {
  Connected here;
  std::string all;
  for (int i = 0; i < 10; ++i) all += client_frame(std::to_string(i), frame(9));
  here.client.send(all);
  for (int i = 0; i < 10; ++i) CHECK(here.client.frame() == std::pair<int, std::string>(0x8A, std::to_string(i)));
}

TEST_CASE("a close is answered with its code, and told once") {
  Connected here;
  here.client.send(client_frame(close_payload(4123, "bye"), frame(8)));
  CHECK(here.client.frame() == std::pair<int, std::string>(0x88, close_payload(4123)));
  CHECK(here.client.ended());
  here.client.shut();
  here.sockets->closed.get_future().wait();
  CHECK(here.sockets->closed_code == 4123);
}

TEST_CASE("what is forbidden is closed with its code") {
  struct Case {
    std::string bytes;
    int code;
  };
  ClientFrame unmasked;
  unmasked.masked = false;
  for (const auto& one : {Case{client_frame("a", unmasked), 1002}, Case{client_frame("a", frame(2)), 1003}, Case{client_frame("\xFF"), 1007},
                          Case{client_frame(std::string(1001, 'x')), 1009}, Case{client_frame(close_payload(1005), frame(8)), 1002}}) {
    Connected here;
    here.client.send(one.bytes);
    const auto [first, payload] = here.client.frame();
    CHECK(first == 0x88);
    CHECK(payload.substr(0, 2) == close_payload(one.code));
    here.client.shut();
    here.sockets->closed.get_future().wait();
    CHECK(here.sockets->closed_code == one.code);
  }
}

TEST_CASE("a client that hangs up is 1006") {
  Connected here;
  here.client.shut();
  here.sockets->closed.get_future().wait();
  CHECK(here.sockets->closed_code == 1006);
}

TEST_CASE("close sends what is queued first, and its code is told") {
  Connected here;
  here.on_socket([](WebSocket& socket) {
    for (int i = 0; i < 200; ++i) socket.send(shared(std::to_string(i)));
    socket.close(4003, "token");
    socket.send(shared("too late"));
  });
  for (int i = 0; i < 200; ++i) CHECK(here.client.frame().second == std::to_string(i));
  CHECK(here.client.frame() == std::pair<int, std::string>(0x88, close_payload(4003, "token")));
  here.client.send(client_frame(close_payload(4003), frame(8)));
  CHECK(here.client.ended());
  here.client.shut();
  here.sockets->closed.get_future().wait();
  CHECK(here.sockets->closed_code == 4003);
}

TEST_CASE("a close that nobody answers ends within some seconds") {
  Connected here;
  here.on_socket([](WebSocket& socket) { socket.close(1001, ""); });
  here.sockets->closed.get_future().wait();
  CHECK(here.sockets->closed_code == 1001);
}

TEST_CASE("a reader that takes nothing fills the queue; what is dropped does not arrive, what is begun does") {
  Connected here;
  const std::string big(1u << 20, 'b');
  std::size_t queued = 0, after = 0;
  here.on_socket([&](WebSocket& socket) {
    for (int i = 0; i < 32; ++i) socket.send(shared(big));
  });
  for (int turn = 0; turn < 100; ++turn) here.on_socket([](WebSocket&) {});
  here.on_socket([&](WebSocket& socket) {
    queued = socket.queued();
    socket.drop_queue();
    after = socket.queued();
    socket.send(shared("after"));
  });
  CHECK(queued > 16u << 20);
  CHECK(after < 1u << 21);
  std::string last;
  int whole = 0;
  while (last != "after") {
    last = here.client.frame().second;
    if (last == big) ++whole;
  }
  CHECK(whole > 0);
  CHECK(whole < 32);
  for (int turn = 0; turn < 100; ++turn) here.on_socket([](WebSocket&) {});
  here.on_socket([&](WebSocket& socket) { CHECK(socket.queued() == 0); });
  CHECK(here.sockets->drained > 0);
}

TEST_CASE("who takes nothing for seconds after the close still reads why") {
  const auto clock = std::make_shared<test::FakeClock>();
  HttpServerOptions options;
  options.header_timeout = milliseconds(1000);
  Connected here(options, clock);
  const std::string big(1u << 20, 'b');
  here.on_socket([&](WebSocket& socket) {
    for (int i = 0; i < 32; ++i) socket.send(shared(big));
  });
  for (int turn = 0; turn < 100; ++turn) here.on_socket([](WebSocket&) {});  // until its buffers are full
  here.on_socket([](WebSocket& socket) {
    socket.drop_queue();
    socket.close(4008, "too slow");
  });
  // Two that say nothing, one a shard: when both are gone, time has been looked at everywhere.
  RawClient first(here.server->address()), second(here.server->address());
  first.send("GET");
  second.send("GET");
  for (int turn = 0; turn < 100; ++turn) here.on_shards([] {});
  clock->advance(milliseconds(10000));
  first.take_until("408");
  second.take_until("408");
  std::pair<int, std::string> last;
  while (last.first != 0x88 && last.first != -1) last = here.client.frame();
  CHECK(last.second == close_payload(4008, "too slow"));
}

TEST_CASE("paused, it reads nothing; resumed, it goes on where it was") {
  Connected here;
  here.sockets->on_message = [](WebSocket& socket, std::string_view text) {
    socket.send(shared(text));
    if (text == "stop") socket.pause_reading(true);
  };
  here.client.send(client_frame("stop") + client_frame("a") + client_frame("b"));
  CHECK(here.client.frame().second == "stop");
  here.client.send(client_frame("c"));
  here.on_socket([](WebSocket& socket) {
    socket.send(shared("resumed"));
    socket.pause_reading(false);
  });
  CHECK(here.client.frame().second == "resumed");
  for (const char* text : {"a", "b", "c"}) CHECK(here.client.frame().second == text);
}

TEST_CASE("a socket that its owner drops within a callback is closed hard") {
  Connected here;
  here.sockets->on_message = [&](WebSocket&, std::string_view) { here.sockets->drop_all(); };
  here.client.send(client_frame("a") + client_frame("b"));
  CHECK(here.client.ended());
}

TEST_CASE("an upgrade may be refused, and the connection goes on as it was") {
  Listening here;
  RawClient client(here.server->address());
  client.send(here.connect_text("/refused"));
  const auto refused = client.response();
  CHECK(refused.status == 403);
  CHECK(refused.body == "not from here");
  client.send(here.connect_text("/nothing"));
  CHECK(client.response().status == 500);
  client.send(here.connect_text());
  CHECK(client.response().status == 101);
}

TEST_CASE("a handshake of another version is 426, one with a bad key 400") {
  Listening here;
  auto text = here.connect_text();
  text.replace(text.find("Version: 13"), 11, "Version: 8");
  RawClient client(here.server->address());
  client.send(text);
  const auto refused = client.response();
  CHECK(refused.status == 426);
  CHECK(refused.says("sec-websocket-version: 13"));
  text = here.connect_text();
  text.replace(text.find("dGhl"), 4, "");
  RawClient other(here.server->address());
  other.send(text);
  CHECK(other.response().status == 400);
}

TEST_CASE("a drain leaves WebSockets alone, a stop ends them") {
  Connected here;
  here.server->drain();
  here.client.send(client_frame("still"));
  CHECK(here.client.frame().second == "still");
  here.server->stop();
  CHECK(here.client.ended());
  CHECK(here.sockets->closed_code == 1006);
}

}  // namespace
}  // namespace loggia::http::of_websocket
