// Sockets of a module that is elsewhere: a client, a gateway and instances, each on real sockets of loopback.
#include "rpc/tunnel.hpp"
#include <malloc.h>
#include "http/frames.hpp"
#include "loggia/kernel/module.hpp"
#include "rpc/tls_client.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::rpc::testing;

namespace {

using Frame = std::pair<int, std::string>;

http::ClientFrame control(int opcode) {
  http::ClientFrame out;
  out.opcode = opcode;
  return out;
}
/// An address where nobody listens.
std::string nobody() {
  std::uint16_t port = 0;
  ::close(loopback_socket(port));
  return address_of(port);
}
/// The number stands still.
template <class F> void until_still(F number) {
  auto last = number();
  for (int quiet = 0; quiet < 150; ++quiet) {
    std::this_thread::sleep_for(milliseconds(1));
    const auto next = number();
    if (next != last) quiet = 0;
    last = next;
  }
}
/// Sends frames of `size` bytes to a server that reads none, from a thread of its own. How much goes before that, the kernel decides: its buffers
/// on the way grow as it sees fit, up to tens of MiB.
class Pushing {
 public:
  Pushing(Guest& guest, std::size_t size)
      : thread_{[this, &guest, frame = http::client_frame(std::string(size, 'x'))] {
          for (; sent_ < most && !enough_; ++sent_) guest.send(frame);
        }} {}
  ~Pushing() { end(); }
  /// Whether it came to stand.
  bool held_up() {
    until_still([this] { return sent_.load(); });
    return sent_ < most;
  }
  /// It is read from again: what is under way is sent. How many in all.
  std::size_t end() {
    enough_ = true;
    if (thread_.joinable()) thread_.join();
    return sent_;
  }

 private:
  static constexpr std::size_t most = 512;
  std::atomic<std::size_t> sent_{0};
  std::atomic<bool> enough_{false};
  std::thread thread_;  // last: it uses the others
};
Peer::Script answers(std::string answer) {
  return [answer = std::move(answer)](Line& line) {
    line.request();
    line.send(answer);
  };
}

}  // namespace

TEST_CASE("through a tunnel a socket is as it is in one process: the answer, messages both ways, and the close of either side") {
  Ground ground;
  Instance instance(ground);
  Gateway gateway(ground, {instance.listener->address()});
  {
    Guest guest(gateway, "Sec-WebSocket-Protocol: loggia.v1\r\n");
    CHECK(guest.answer.status == 101);
    CHECK(guest.answer.says("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    CHECK(guest.answer.says("sec-websocket-protocol: loggia.v1\r\n"));
    CHECK(guest.say("hello") == "hello");
    CHECK(guest.say(std::string(100000, 'x')) == std::string(100000, 'x'));
    guest.send(http::client_frame("beat", control(9)));
    CHECK(guest.frame() == Frame(0x8A, "beat"));
    CHECK(gateway.server->tunnels() == 1);
    CHECK(gateway.metric("loggia_tunnels{module=\"there\"}") == "1");
    CHECK(gateway.metric("loggia_tunnels_total{module=\"there\"}") == "1");
    guest.send(http::client_frame(http::close_payload(4123), control(8)));
    CHECK(guest.frame() == Frame(0x88, http::close_payload(4123)));
    CHECK(guest.ended());
  }
  CHECK(soon([&] { return instance.closed == 4123 && gateway.server->connections() == 0; }));
  CHECK(gateway.server->tunnels() == 0);
  CHECK(gateway.metric("loggia_tunnels{module=\"there\"}") == "0");
  Guest guest(gateway);
  instance.on_socket([](WebSocket& socket) { socket.close(4008, "too slow"); });
  CHECK(guest.frame() == Frame(0x88, http::close_payload(4008, "too slow")));
  guest.send(http::client_frame(http::close_payload(4008), control(8)));
  CHECK(guest.ended());
}

TEST_CASE("a side that is cut ends the other; a client whose instance is gone without a word is told to come back") {
  Ground ground;
  Instance instance(ground);
  Gateway gateway(ground, {instance.listener->address()});
  {
    const Guest guest(gateway);
  }
  CHECK(soon([&] { return instance.closed == 1006; }));
  Guest guest(gateway);
  CHECK(guest.say("here") == "here");
  instance.drop();
  const auto [first, payload] = guest.frame();
  CHECK(first == 0x88);
  CHECK(payload.substr(0, 2) == http::close_payload(1001));
  CHECK(guest.ended());
  // It does not hang up itself: a moment later it is cut off.
  CHECK(gateway.server->tunnels() == 1);
  gateway.clock->advance(milliseconds(2000));
  CHECK(soon([&] { return gateway.server->connections() == 0; }));
}

TEST_CASE("what either side says before the other knows that it is connected is not lost") {
  Ground ground;
  Instance instance(ground);
  instance.greeting = "welcome";
  Gateway gateway(ground, {instance.listener->address()});
  Guest guest(gateway, "", http::client_frame("early") + http::client_frame("bird"));
  CHECK(guest.frame().second == "welcome");
  CHECK(guest.frame().second == "early");
  CHECK(guest.frame().second == "bird");
  Peer peer([](Line& line) {
    line.request();
    line.send(taken + frame_text("in one") + frame_text("piece"));
    line.until_closed();
  });
  gateway.peers->known = {peer.address()};
  Guest other(gateway);
  CHECK(other.frame().second == "in one");
  CHECK(other.frame().second == "piece");
}

TEST_CASE("who does not read is not read from: down the tunnel, and nothing is lost") {
  Ground ground;
  Instance instance(ground);
  Gateway gateway(ground, {instance.listener->address()});
  Guest guest(gateway);
  constexpr std::size_t count = 64, size = 1u << 20;
  instance.on_socket([&](WebSocket& socket) {
    for (std::size_t n = 0; n < count; ++n)
      socket.send(std::make_shared<const std::string>(frame_text(std::string(size, static_cast<char>('a' + n % 26)))));
  });
  const auto queued = [&] {
    std::size_t out = 0;
    instance.on_socket([&](WebSocket& socket) { out = socket.queued(); });
    return out;
  };
  until_still(queued);
  CHECK(queued() > 0);
  bool whole = true;
  for (std::size_t n = 0; n < count; ++n) whole = whole && guest.frame().second == std::string(size, static_cast<char>('a' + n % 26));
  CHECK(whole);
  CHECK(guest.say("still here") == "still here");
}

TEST_CASE("who does not read is not read from: up the tunnel, and nothing is lost") {
  Ground ground;
  Instance instance(ground);
  instance.echoes = false;
  Gateway gateway(ground, {instance.listener->address()});
  Guest guest(gateway);
  instance.on_socket([](WebSocket& socket) { socket.pause_reading(true); });
  constexpr std::size_t size = 1u << 20;
  Pushing pushing(guest, size);
  CHECK(pushing.held_up());
  CHECK(instance.heard == 0);
  instance.on_socket([](WebSocket& socket) { socket.pause_reading(false); });
  const auto sent = pushing.end();
  CHECK(soon([&] { return instance.heard == sent * size; }));
}

TEST_CASE("the instance gets the handshake, the trace and the client's address; and nothing else that the client says") {
  std::promise<std::string> asked;
  Peer peer([&asked](Line& line) {
    asked.set_value(line.request());
    line.send(taken);
    line.until_closed();
  });
  Ground ground;
  Gateway gateway(ground, {peer.address()});
  const Guest guest(gateway,
                    "Origin: https://evil.example\r\nCookie: a=b\r\nAuthorization: Bearer t\r\nloggia-address: 6.6.6.6\r\nloggia-subject: x\r\n"
                    "loggia-module: chat\r\ntraceparent: 00-00000000000000000000000000000001-0000000000000001-01\r\n"
                    "Sec-WebSocket-Protocol: other, loggia.v1\r\nSec-WebSocket-Extensions: permessage-deflate\r\n");
  CHECK(asked.get_future().get() == "GET /rpc/there HTTP/1.1\r\nHost: " + peer.address() +
                                        "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nsec-websocket-version: 13\r\n"
                                        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: other, loggia.v1\r\n"
                                        "sec-websocket-extensions: permessage-deflate\r\n"
                                        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nloggia-address: 127.0.0.1\r\n\r\n");
}

TEST_CASE("the module is told where the client is, by the gateway alone") {
  Ground ground;
  Instance instance(ground);
  Gateway gateway(ground, {instance.listener->address()});
  const Guest guest(gateway, "loggia-address: 6.6.6.6\r\nloggia-username: ada\r\n");
  CHECK(guest.answer.status == 101);
  CHECK(instance.seen().address() == "127.0.0.1");
  CHECK(instance.seen().trace().parent() == gateway.trace.parent());
  CHECK(instance.seen().caller().username.empty());
}

TEST_CASE("a refusal reaches the client as the instance said it, and the connection goes on") {
  Ground ground;
  Instance instance(ground);
  instance.refusal = problem(Error(Errc::malformed, "ask for the subprotocol"), Trace());
  Gateway gateway(ground, {instance.listener->address()});
  Guest guest(gateway);
  CHECK(guest.answer.status == 400);
  CHECK(guest.answer.says("content-type: application/problem+json\r\n"));
  CHECK(guest.answer.body == instance.refusal->body);
  instance.refusal->status = 429;
  instance.refusal->headers.emplace_back("retry-after", "7");
  guest.send(ask + "\r\n");
  const auto again = guest.response();
  CHECK(again.status == 429);
  CHECK(again.says("retry-after: 7\r\n"));
  CHECK(gateway.metric("loggia_tunnel_refusals_total{module=\"there\"}") == "2");
  CHECK(gateway.peers->told().empty());
  CHECK(gateway.server->tunnels() == 0);
}

TEST_CASE("the inner listener takes sockets only where they are mounted, and checks the handshake itself") {
  Ground ground;
  Instance instance(ground);
  const auto status = [&](std::string request, std::string_view from, std::string_view to) {
    http::RawClient client(instance.listener->address());
    client.send(request.replace(request.find(from), from.size(), to) + "\r\n");
    return client.response().status;
  };
  CHECK(status(ask, "/socket", "/rpc/there") == 101);
  CHECK(status(ask, "/socket", "/there") == 500);
  CHECK(status(ask, "/socket", "/rpc/elsewhere") == 500);
  const std::string there = "GET /rpc/there" + ask.substr(11);
  CHECK(status(there, "Version: 13", "Version: 12") == 426);
  CHECK(status(there, "Key: d", "Key: ") == 400);
  CHECK(status(there, "Host: a", "Host: a\r\nloggia-address: %") == 400);
  CHECK(instance.entered == 1);
  CHECK_THROWS_AS(instance.listener->on_upgrade("/late", UpgradeHandler()), std::logic_error);
}

TEST_CASE("an instance that cannot be reached is left alone for a while, and the next one is asked") {
  Ground ground;
  Instance instance(ground);
  const auto dead = nobody();
  Gateway gateway(ground, {dead, "no address", instance.listener->address()});
  for (int n = 0; n < 8; ++n) {
    Guest guest(gateway);
    CHECK(guest.say("x") == "x");
  }
  auto told = gateway.peers->told();
  std::sort(told.begin(), told.end());
  CHECK(told.size() <= 2);
  gateway.peers->known = {dead};
  const auto before = std::count(told.begin(), told.end(), dead);
  for (int n = 0; n < 2; ++n) {
    const Guest guest(gateway);
    CHECK(guest.answer.status == 503);
    CHECK(guest.answer.says("content-type: application/problem+json\r\n"));
    CHECK(guest.answer.says("retry-after: "));
    CHECK(guest.answer.body.find("\"code\":\"unavailable\"") != std::string::npos);
  }
  const auto after = gateway.peers->told();
  CHECK(std::count(after.begin(), after.end(), dead) <= before + 1);
  CHECK(std::count(after.begin(), after.end(), dead) == 1);
  gateway.clock->advance(milliseconds(3000));
  const Guest guest(gateway);
  CHECK(guest.answer.status == 503);
  CHECK(gateway.peers->told().size() == after.size() + 1);
  CHECK(gateway.metric("loggia_tunnel_failures_total{module=\"there\"}") == std::to_string(after.size() + 1));
}

TEST_CASE("with no instance known the answer is unavailable, at once") {
  Ground ground;
  Gateway gateway(ground, {});
  Guest guest(gateway);
  CHECK(guest.answer.status == 503);
  CHECK(guest.answer.says("retry-after: 3\r\n"));
}

TEST_CASE("an instance that hangs costs its time and no more") {
  Ground ground;
  Instance instance(ground);
  std::uint16_t port = 0;
  const int deaf = loopback_socket(port);
  ::listen(deaf, 4);
  Gateway gateway(ground, {address_of(port)}, milliseconds(30));
  CHECK(Guest(gateway).answer.status == 503);
  CHECK(gateway.peers->told() == std::vector<std::string>{address_of(port)});
  gateway.peers->known.push_back(instance.listener->address());
  gateway.clock->advance(milliseconds(3000));
  for (int n = 0; n < 4; ++n) CHECK(Guest(gateway).answer.status == 101);
  ::close(deaf);
}

TEST_CASE("what no listener of ours answers is no answer") {
  const std::string other = taken.substr(0, taken.find("s3pP")) + "AAAA\r\n\r\n";
  for (const auto& answer :
       {std::string(), std::string("HTTP/1.1 101"), other, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" + std::string(),
        "SSH-2.0-x\r\n\r\n" + std::string(), "HTTP/1.1 400 x\r\ncontent-length: 9\r\n\r\nshort" + std::string(),
        "HTTP/1.1 400 x\r\ncontent-length: 99999999\r\n\r\n" + std::string(), "HTTP/1.1 400 x\r\na b: c\r\n\r\n" + std::string(),
        "HTTP/1.1 400 x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + std::string(), "HTTP/1.1 400 x\r\na: " + std::string(40000, 'x')}) {
    CAPTURE(answer.substr(0, 60));
    Ground ground;
    Peer peer(answers(answer));
    Gateway gateway(ground, {peer.address()});
    CHECK(Guest(gateway).answer.status == 503);
    CHECK(gateway.peers->told().size() == 1);
  }
}

TEST_CASE("an instance that is about to go sends the client to another, and where there is none its answer is the client's") {
  Ground ground;
  Instance leaving(ground), instance(ground);
  Error away(Errc::unavailable, "going");
  away.retry_after = 5;
  leaving.refusal = problem(away, Trace());
  Gateway gateway(ground, {leaving.listener->address(), instance.listener->address()});
  for (int n = 0; n < 8; ++n) CHECK(Guest(gateway).answer.status == 101);
  CHECK(leaving.entered <= 1);
  gateway.clock->advance(milliseconds(3000));
  gateway.peers->known = {leaving.listener->address()};
  Guest guest(gateway);
  CHECK(guest.answer.status == 503);
  CHECK(guest.answer.says("retry-after: 5\r\n"));
  CHECK(guest.answer.body == leaving.refusal->body);
  CHECK(gateway.peers->told().empty());
}

namespace {

/// `there` takes sockets; `front` needs it and speaks for people, `shop` needs it, `stranger` does not.
RpcListenerOptions only_with_tls(Certificates& certificates) {
  std::vector<ModuleDescriptor> modules(4);
  modules[0].name = "there";
  modules[1].name = "front";
  modules[2].name = "shop";
  modules[3].name = "stranger";
  modules[1].needs = modules[2].needs = {"there"};
  modules[1].speaks_for_people = true;
  const auto table = std::make_shared<RpcTable>(modules);
  table->note("there", "GET /there");
  RpcListenerOptions out;
  out.tls = MutualTls::load(certificates.of("there")).value();
  out.permits = [table](const std::string& caller, std::string_view route) { return table->of(caller, route); };
  return out;
}

}  // namespace

TEST_CASE("over mTLS a tunnel carries the same, both ways, with back pressure") {
  Ground ground;
  Certificates certificates;
  Instance instance(ground, only_with_tls(certificates));
  instance.greeting = "welcome";
  Gateway gateway(ground, {instance.listener->address()}, milliseconds(10000), MutualTls::load(certificates.of("front")).value());
  Guest guest(gateway, "", http::client_frame("early"));
  CHECK(guest.answer.status == 101);
  CHECK(guest.frame().second == "welcome");
  CHECK(guest.frame().second == "early");
  CHECK(instance.seen().address() == "127.0.0.1");
  CHECK(instance.seen().caller().module == "front");
  constexpr std::size_t count = 24, size = 1u << 20;
  const auto text = [](std::size_t n) { return std::string(size, static_cast<char>('a' + n % 26)); };
  instance.on_socket([&](WebSocket& socket) {
    for (std::size_t n = 0; n < count; ++n) socket.send(std::make_shared<const std::string>(frame_text(text(n))));
  });
  bool whole = true;
  for (std::size_t n = 0; n < count; ++n) whole = whole && guest.frame().second == text(n);
  CHECK(whole);
  instance.echoes = false;
  instance.on_socket([](WebSocket& socket) { socket.pause_reading(true); });
  const auto before = instance.heard.load();
  Pushing pushing(guest, size);
  CHECK(pushing.held_up());
  CHECK(instance.heard == before);
  instance.on_socket([](WebSocket& socket) { socket.pause_reading(false); });
  const auto sent = pushing.end();
  CHECK(soon([&] { return instance.heard == before + sent * size; }));
  instance.on_socket([](WebSocket& socket) { socket.close(4008, "too slow"); });
  CHECK(guest.frame() == Frame(0x88, http::close_payload(4008, "too slow")));
  guest.send(http::client_frame(http::close_payload(4008), control(8)));
  CHECK(guest.ended());
  CHECK(soon([&] { return instance.closed == 4008; }));
}

TEST_CASE("over mTLS an instance is who it should be, takes sockets from whom it should, and believes whom it should") {
  Ground ground;
  Certificates certificates, others;
  Instance instance(ground, only_with_tls(certificates));
  const auto answer = [&](const MutualTlsFiles& files) {
    const Gateway gateway(ground, {instance.listener->address()}, milliseconds(10000), MutualTls::load(files).value());
    return Guest(gateway).answer.status;
  };
  CHECK(answer(certificates.of("stranger")) == 403);
  CHECK(answer(others.of("front")) == 503);
  CHECK(instance.entered == 0);
  CHECK(answer(certificates.of("shop")) == 101);
  CHECK(instance.seen().caller().module == "shop");
  CHECK(instance.seen().address().empty());
  // Another module behind that address, and one that speaks no TLS.
  auto wrong = only_with_tls(certificates);
  wrong.tls = MutualTls::load(certificates.of("shop")).value();
  Instance shop(ground, std::move(wrong)), plain(ground);
  const auto front = MutualTls::load(certificates.of("front")).value();
  for (const auto* other : {&shop, &plain}) {
    Gateway gateway(ground, {other->listener->address()}, milliseconds(10000), front);
    CHECK(Guest(gateway).answer.status == 503);
    CHECK(gateway.peers->told().size() == 1);
    CHECK(other->entered == 0);
    if (other == &shop) CHECK(gateway.metric("loggia_rpc_refused_total{reason=\"wrong_module\"}") == "1");
  }
}

TEST_CASE("tunnels go where there are fewest") {
  Ground ground;
  Instance one(ground), two(ground);
  Gateway gateway(ground, {one.listener->address(), two.listener->address()});
  std::vector<std::unique_ptr<Guest>> guests;
  for (int n = 0; n < 20; ++n) guests.push_back(std::make_unique<Guest>(gateway));
  CHECK(one.entered == 10);
  CHECK(two.entered == 10);
  CHECK(gateway.server->tunnels() == 20);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("an idle tunnel costs its gateway two KiB of memory at most, also where much went through it") {
  static_assert(sizeof(http::Tunnel) <= 640);
  constexpr std::size_t count = 200;
  Ground ground;
  Instance instance(ground);
  Gateway gateway(ground, {instance.listener->address()});
  std::vector<std::unique_ptr<http::RawClient>> clients;
  // What `count` more cost in all, said and heard a good deal, and quiet again.
  const auto cost = [&](const std::string& address, std::string request) {
    const auto before = ::mallinfo2().uordblks;
    for (std::size_t n = 0; n < count; ++n) {
      auto& client = *clients.emplace_back(std::make_unique<http::RawClient>(address));
      client.send(request + "\r\n");
      client.take_until("\r\n\r\n");
      client.send(http::client_frame(std::string(30000, 'x')));
      CHECK(client.frame().second.size() == 30000);
    }
    for (std::size_t shard = 0; shard < 2; ++shard) instance.on_shard(shard, [] {});
    // Of the clients themselves.
    std::size_t theirs = 0;
    for (auto at = clients.end() - count; at != clients.end(); ++at) theirs += (*at)->memory() + sizeof(http::RawClient);
    const auto after = ::mallinfo2().uordblks;
    return after > before + theirs ? after - before - theirs : 0;
  };
  const auto there = "GET /rpc/there" + ask.substr(11);
  cost(gateway.server->address(), ask);  // what is made once
  cost(instance.listener->address(), there);
  const auto direct = cost(instance.listener->address(), there), through = cost(gateway.server->address(), ask);
  MESSAGE("bytes each: " << direct / count << " direct, " << through / count << " through a tunnel");
  CHECK(through < direct + count * 2048);
  Certificates certificates;
  Instance secured(ground, only_with_tls(certificates));
  Gateway over_tls(ground, {secured.listener->address()}, milliseconds(10000), MutualTls::load(certificates.of("front")).value());
  cost(over_tls.server->address(), ask);
  const auto both_ends = cost(over_tls.server->address(), ask) - through;
  MESSAGE("bytes more with mTLS, of gateway and instance together: " << both_ends / count);
  CHECK(both_ends < count * (56u << 10));  // what OpenSSL has for two sessions and the certificate that each was shown
}
#endif

TEST_CASE("a gateway that drains answers what was asked, then closes with 1001 between two frames") {
  std::promise<void> half_sent, go_on;
  Peer peer([&](Line& line) {
    line.request();
    const auto frame = frame_text("hello");
    line.send(taken + frame.substr(0, 4));
    half_sent.set_value();
    go_on.get_future().wait();
    line.send(frame.substr(4) + frame_text("too late"));
    line.until_closed();
  });
  Ground ground;
  Instance instance(ground);
  Gateway gateway(ground, {peer.address()});
  Guest interrupted(gateway);
  half_sent.get_future().wait();
  CHECK(interrupted.take(4).size() == 4);
  gateway.peers->known = {instance.listener->address()};
  Guest guest(gateway);
  gateway.server->drain();
  for (const std::size_t shard : {0, 0, 1}) instance.on_shard(shard, [] {});  // it is known on both
  CHECK(guest.say("still") == "still");
  CHECK(gateway.server->tunnels() == 2);
  gateway.clock->advance(milliseconds(1000));
  const auto [first, payload] = guest.frame();
  CHECK(first == 0x88);
  CHECK(payload.substr(0, 2) == http::close_payload(1001));
  guest.send(http::client_frame(http::close_payload(1001), control(8)));
  CHECK(guest.ended());
  guest.shut();
  CHECK(soon([&] { return instance.closed == 1001; }));
  CHECK(soon([&] { return gateway.server->tunnels() == 1; }));
  go_on.set_value();
  CHECK(interrupted.take(3) == "llo");
  const auto [last, words] = interrupted.frame();
  CHECK(last == 0x88);
  CHECK(words.substr(0, 2) == http::close_payload(1001));
  gateway.clock->advance(milliseconds(2000));
  CHECK(interrupted.ended());
  CHECK(soon([&] { return gateway.server->tunnels() == 0; }));
}

TEST_CASE("a gateway that stops ends its tunnels, and handshakes that wait for an instance") {
  std::promise<void> asked;
  Peer peer([&](Line& line) {
    line.request();
    asked.set_value();
    line.until_closed();
  });
  Ground ground;
  Instance instance(ground);
  Gateway gateway(ground, {instance.listener->address()});
  Guest guest(gateway);
  gateway.peers->known = {peer.address()};
  http::RawClient waiting(gateway.server->address());
  waiting.send(ask + "\r\n");
  asked.get_future().wait();
  gateway.server->stop();
  CHECK(guest.ended());
  CHECK(waiting.ended());
  CHECK(soon([&] { return instance.closed == 1006; }));
  CHECK(gateway.peers->told().empty());
}

TEST_CASE("who takes nothing for the time of a write is cut off") {
  Ground ground;
  Instance instance(ground);
  Gateway gateway(ground, {instance.listener->address()});
  const Guest guest(gateway);
  const auto frame = std::make_shared<const std::string>(frame_text(std::string(1u << 20, 'x')));
  instance.on_socket([&](WebSocket& socket) {
    for (int n = 0; n < 64; ++n) socket.send(frame);
  });
  until_still([&] {
    std::size_t out = 0;
    instance.on_socket([&](WebSocket& socket) { out = socket.queued(); });
    return out;
  });
  CHECK(gateway.server->tunnels() == 1);
  gateway.clock->advance(milliseconds(30000));
  CHECK(soon([&] { return gateway.server->tunnels() == 0 && instance.closed == 1006; }));
}
