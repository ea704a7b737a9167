// Between modules: who gets nothing, and who is believed what. Each refusal is seen at the handler, at the caller and in the metric.
#include <doctest/doctest.h>
#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <tuple>
#include "kernel/fixtures.hpp"
#include "loggia/kernel/module.hpp"
#include "loggia/kernel/rpc.hpp"
#include "rpc/tls_client.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::rpc::testing;

namespace {

constexpr const char *looking_up = "GET /books/{id}", *adding = "POST /internal/books", *gossiping = "POST /bus/gossip";
const std::string raw_request = "GET /rpc/books/%7Bid%7D HTTP/1.1\r\nHost: a\r\n";

/// A listener of the module `library`. `shop` needs it, `front` does too and speaks for people, `stranger` is of the house and needs nothing.
struct House {
  Certificates certificates;
  std::shared_ptr<Shards> shards = thread_shards(2);
  std::shared_ptr<Clock> clock = system_clock();
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  std::shared_ptr<MutualTls> tls = MutualTls::load(certificates.of("library")).value();
  std::shared_ptr<RpcTable> table = std::make_shared<RpcTable>(modules());
  std::shared_ptr<RpcListener> listener;
  std::mutex mutex;
  Context seen;
  std::atomic<int> calls{0};

  explicit House(const std::string& listen = "127.0.0.1:0") {
    RpcListenerOptions options;
    options.listen = listen;
    options.tls = tls;
    options.permits = [table = table](const std::string& caller, std::string_view route) { return table->of(caller, route); };
    listener = rpc_listener(std::move(options), shards, clock, metrics);
    const auto mounted = table->noting("library", *listener);
    for (const char* route : {looking_up, adding}) {
      RouteInfo info;
      info.route = route;
      mounted->on(info, [this](Context context, Call call) { return take(std::move(context), std::move(call)); });
    }
    RouteInfo own;
    own.route = gossiping;
    own.has_body = true;
    listener->always().on(own, [this](Context context, Call call) -> Async<Answer> {
      if (!call.peer || *call.peer != std::vector<std::string>{"shop"}) co_return Error(Errc::forbidden, "this module may not hear that");
      co_return co_await take(std::move(context), std::move(call));
    });
    const auto started = listener->start();
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().detail));
  }
  ~House() {
    listener->stop();
    stop_shards(*shards);
  }
  static std::vector<ModuleDescriptor> modules() {
    std::vector<ModuleDescriptor> out(4);
    out[0].name = "library";
    out[1].name = "shop";
    out[2].name = "front";
    out[3].name = "stranger";
    out[1].needs = out[2].needs = {"library"};
    out[2].speaks_for_people = true;
    return out;
  }
  Async<Answer> take(Context context, Call call) {
    std::lock_guard lock(mutex);
    seen = std::move(context);
    ++calls;
    Answer answer;
    answer.body = std::move(call.body);
    co_return answer;
  }
  std::string address() const {
    const auto real = listener->address();
    return "127.0.0.1" + real.substr(real.rfind(':'));
  }
  std::uint64_t refused(const std::string& reason) { return metrics->counter("loggia_rpc_refused_total", "", {{"reason", reason}}).value(); }
  /// The peer may know before it is counted.
  bool comes_to(const std::string& reason, std::uint64_t count) {
    for (int times = 0; times < 10000 && refused(reason) < count; ++times) ::usleep(1000);
    return refused(reason) == count;
  }
  std::shared_ptr<Transport> as(std::shared_ptr<MutualTls> who, const std::string& expected = "library") {
    RpcTransportOptions options;
    options.address = address();
    options.tls = std::move(who);
    options.module = expected;
    options.metrics = metrics;
    return rpc_transport(std::move(options), shards, clock).value();
  }
  std::shared_ptr<Transport> as(const std::string& module) { return as(MutualTls::load(certificates.of(module)).value()); }
  Result<Answer> send(Transport& transport, const char* route, const Context& context = Context(), std::string body = std::string()) {
    Call call;
    call.route = route;
    call.body = std::move(body);
    return loggia::testing::run_on(*shards, transport.send(context, std::move(call)));
  }
};

Context of_ada() {
  Caller caller;
  caller.subject = Uuid::parse("01890000-0000-7000-8000-000000000001").value();
  caller.username = "ada";
  caller.roles = {"admin"};
  caller.module = "front";
  return Context().as(std::move(caller)).from("192.0.2.7", "Firefox");
}

Shown shown(const MutualTlsFiles& files) { return {files.certificate, files.private_key}; }

/// It believes the house, which does not believe it.
std::shared_ptr<MutualTls> believing(const House& house, Certificates& foreign) {
  const auto own = foreign.of("shop");
  fs::copy_file(house.certificates.path / "ca.pem", foreign.path / "house.pem");
  std::ofstream(foreign.path / "both.pem") << std::ifstream(own.ca).rdbuf() << std::ifstream(foreign.path / "house.pem").rdbuf();
  return MutualTls::load({own.certificate, own.private_key, (foreign.path / "both.pem").string()}).value();
}

}  // namespace

TEST_CASE("a call between modules arrives, and its caller is the module of the certificate, whatever it says") {
  House house;
  const auto shop = house.as("shop");
  REQUIRE(house.send(*shop, looking_up));
  CHECK(house.seen.caller().module == "shop");
  Caller other;
  other.module = "front";
  REQUIRE(house.send(*shop, looking_up, Context().as(other)));
  CHECK(house.seen.caller().module == "shop");
  const std::string large(3u << 20, 'x');
  const auto echoed = house.send(*shop, adding, Context(), "\"" + large + "\"");
  CHECK((echoed.value().body == "\"" + large + "\""));
  CHECK(house.metrics->gauge("loggia_http_connections", "", {{"server", "rpc"}}).value() == 1);  // kept from call to call
}

TEST_CASE("the kernel's own routes know the modules in the certificate, and what they forbid is counted") {
  House house;
  Caller claimed;
  claimed.module = "shop";
  CHECK(house.send(*house.as("shop"), gossiping));
  const auto refused = house.send(*house.as("stranger"), gossiping, Context().as(claimed));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::forbidden);
  CHECK(refused.error().detail == "this module may not hear that");
  CHECK(house.refused("topic") == 1);
  CHECK(house.calls == 1);
}

TEST_CASE("a plain connection gets nothing") {
  House house;
  CHECK(house.metrics->text().find("loggia_rpc_refused_total{reason=\"plain\"} 0") != std::string::npos);
  http::RawClient client(house.address());
  client.send(raw_request + "\r\n");
  CHECK(client.rest().find("HTTP") == std::string::npos);
  CHECK(house.comes_to("plain", 1));
  http::RawClient rubbish(house.address());
  rubbish.send("SSH-2.0-OpenSSH_9\r\n");
  rubbish.rest();
  CHECK(house.comes_to("plain", 2));
  RpcTransportOptions options;
  options.address = house.address();
  const auto plain = rpc_transport(std::move(options), house.shards, house.clock).value();
  CHECK_FALSE(house.send(*plain, looking_up));
  CHECK(house.comes_to("plain", 3));
  CHECK(house.calls == 0);
}

TEST_CASE("without a certificate, with one of a foreign CA, an expired or a future one: nothing") {
  House house;
  Certificates foreign;
  CertificateTimes past, future;
  past.from = std::chrono::hours(-48);
  past.until = std::chrono::hours(-1);
  future.from = std::chrono::hours(1);
  const std::pair<const char*, Shown> table[] = {{"no_certificate", Shown()},
                                                 {"foreign", shown(foreign.of("shop"))},
                                                 {"expired", shown(house.certificates.of("old", {"shop"}, past))},
                                                 {"expired", shown(house.certificates.of("young", {"shop"}, future))}};
  std::map<std::string, std::uint64_t> counted;
  for (const auto& [reason, what] : table) {
    CAPTURE(reason);
    TlsClient client(house.address(), what);
    CHECK(client.ask(raw_request + "\r\n").empty());
    CHECK(house.comes_to(reason, ++counted[reason]));
  }
  CHECK(house.calls == 0);
  // The same client, with the right one.
  TlsClient client(house.address(), shown(house.certificates.of("shop")));
  CHECK(client.ask(raw_request + "\r\n").starts_with("HTTP/1.1 200"));
}

TEST_CASE("TLS 1.3 alone, and nothing is resumed") {
  House house;
  auto right = shown(house.certificates.of("shop"));
  TlsClient client(house.address(), right);
  CHECK(client.version() == TLS1_3_VERSION);
  CHECK(client.ask(raw_request + "\r\n").starts_with("HTTP/1.1 200"));
  CHECK_FALSE(client.resumable());
  right.newest = TLS1_2_VERSION;
  TlsClient older(house.address(), right);
  CHECK_FALSE(older.connected());
  CHECK(house.comes_to("version", 1));
}

TEST_CASE("a right certificate of a module that may not call this is forbidden") {
  House house;
  for (const char* name : {"stranger", "library", "unheard-of"}) {
    CAPTURE(name);
    const auto answer = house.send(*house.as(name), looking_up, of_ada());
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::forbidden);
  }
  CHECK(house.refused("module") == 3);
  CHECK(house.calls == 0);
}

TEST_CASE("whom a module names is believed only of those who speak for people") {
  House house;
  REQUIRE(house.send(*house.as("front"), looking_up, of_ada()));
  CHECK(house.seen.caller().username == "ada");
  CHECK(house.seen.caller().is("admin"));
  CHECK(house.seen.caller().module == "front");
  CHECK(house.seen.address() == "192.0.2.7");
  CHECK(house.refused("identity") == 0);
  REQUIRE(house.send(*house.as("shop"), looking_up, of_ada()));
  CHECK_FALSE(house.seen.caller().known());
  CHECK(house.seen.caller().username.empty());
  CHECK(house.seen.caller().roles.empty());
  CHECK(house.seen.caller().module == "shop");
  CHECK(house.seen.address().empty());
  CHECK(house.refused("identity") == 1);
  TlsClient forged(house.address(), shown(house.certificates.of("shop")));
  CHECK(forged.ask(raw_request + "loggia-roles: admin\r\nloggia-module: front\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(house.seen.caller().roles.empty());
  CHECK(house.seen.caller().module == "shop");
  CHECK(house.refused("identity") == 2);
}

TEST_CASE("who speaks for nobody sends nobody's name") {
  House house;
  RpcTransportOptions options;
  options.address = house.address();
  options.tls = MutualTls::load(house.certificates.of("shop")).value();
  options.module = "library";
  options.carries_people = false;
  const auto transport = rpc_transport(std::move(options), house.shards, house.clock).value();
  REQUIRE(house.send(*transport, looking_up, of_ada()));
  CHECK(house.refused("identity") == 0);
}

TEST_CASE("a process of several modules may what any of them may, and is the one that it says it is") {
  House house;
  const auto both = house.as(MutualTls::load(house.certificates.of("both", {"stranger", "shop", "front"})).value());
  REQUIRE(house.send(*both, looking_up, of_ada()));
  CHECK(house.seen.caller().username == "ada");
  CHECK(house.seen.caller().module == "front");
  const auto lesser = house.as(MutualTls::load(house.certificates.of("lesser", {"stranger", "shop"})).value());
  Caller caller;
  caller.module = "stranger";
  REQUIRE(house.send(*lesser, looking_up, Context().as(caller)));
  CHECK(house.seen.caller().module == "shop");  // the other may not
}

TEST_CASE("a caller talks to the module that it means, and to no other") {
  House house;
  Certificates foreign;
  const auto shop = MutualTls::load(house.certificates.of("shop")).value();
  CHECK(house.send(*house.as(shop, "shop"), adding).error().code == Errc::unavailable);
  CHECK(house.refused("wrong_module") == 1);
  for (const char* nobody : {"localhost", ".", "*", "librar"}) CHECK(house.send(*house.as(shop, nobody), adding).error().code == Errc::unavailable);
  CHECK(house.send(*house.as(MutualTls::load(foreign.of("shop")).value()), adding).error().code == Errc::unavailable);
  CHECK(house.comes_to("foreign", 1));  // the caller saw it first
  CHECK(house.calls == 0);
  CHECK(house.send(*house.as(shop), adding));
  RpcTransportOptions nobody;
  nobody.address = house.address();
  nobody.tls = shop;
  CHECK(rpc_transport(nobody, house.shards, house.clock).error().code == Errc::invalid_request);
}

TEST_CASE("where the peer refuses our certificate, nothing happened") {
  House house;
  Certificates foreign;
  const auto tls = believing(house, foreign);
  for (int times = 0; times < 20; ++times) CHECK(house.send(*house.as(tls), adding, Context(), "{}").error().code == Errc::unavailable);
  CHECK(house.comes_to("foreign", 20));
  CHECK(house.refused("by_peer") == 20);
  CHECK(house.calls == 0);
}

TEST_CASE("where the peer refuses our certificate while bytes are sent, that is what is told of it") {
  /// Gives nothing before the refusal is on its way, and without an end then.
  class Waiting final : public ByteSource {
   public:
    explicit Waiting(House& house) : house_{house}, before_{house.refused("foreign")} {}
    Async<std::string> read(Moment) override {
      while (house_.refused("foreign") == before_) co_await sleep_for(milliseconds(1));
      co_return std::string("piece");
    }

   private:
    House& house_;
    const std::uint64_t before_;
  };
  House house;
  Certificates foreign;
  const auto shop = house.as(believing(house, foreign));
  for (int times = 0; times < 20; ++times) {
    Call call;
    call.route = adding;
    call.bytes = ByteStream(std::make_shared<Waiting>(house));
    CHECK(loggia::testing::run_on(*house.shards, shop->send(Context(), std::move(call))).error().code == Errc::unavailable);
  }
  CHECK(house.refused("by_peer") == 20);
  CHECK(house.calls == 0);
}

TEST_CASE("certificates and CA bundle change under running connections") {
  House house;
  Certificates next;
  const auto shop = house.as("shop");
  REQUIRE(house.send(*shop, looking_up));
  const auto fresh = next.of("shop");
  TlsClient before(house.address(), shown(house.certificates.files("shop")));
  REQUIRE(before.ask(raw_request + "\r\n").starts_with("HTTP/1.1 200"));
  CHECK(TlsClient(house.address(), shown(fresh)).ask(raw_request + "\r\n").empty());
  // The new authority alone would leave the listener without one for its own certificate: refused, and all goes on as before.
  const auto files = house.certificates.files("library");
  const auto replace = [](const std::string& from, const std::string& to) { fs::copy_file(from, to, fs::copy_options::overwrite_existing); };
  replace(fresh.ca, files.ca);
  const auto wrong = house.listener->reload();
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().detail.find("is not signed by an authority in the CA bundle " + files.ca) != std::string::npos);
  CHECK(before.ask(raw_request + "\r\n").starts_with("HTTP/1.1 200"));
  CHECK(TlsClient(house.address(), shown(house.certificates.files("shop"))).ask(raw_request + "\r\n").starts_with("HTTP/1.1 200"));
  // With certificate and key of the new authority.
  const auto renewed = next.of("library");
  replace(renewed.certificate, files.certificate);
  replace(renewed.private_key, files.private_key);
  REQUIRE(house.listener->reload());
  CHECK(before.ask(raw_request + "\r\n").starts_with("HTTP/1.1 200"));
  CHECK(house.send(*shop, looking_up));  // on its kept connection
  CHECK(TlsClient(house.address(), shown(fresh)).ask(raw_request + "\r\n").starts_with("HTTP/1.1 200"));
  CHECK(TlsClient(house.address(), shown(house.certificates.files("shop"))).ask(raw_request + "\r\n").empty());
}

TEST_CASE("what changes on the disk is taken over without a word") {
  House house;
  const auto kept = keep_current(house.tls, house.shards, milliseconds(2));
  const auto old = house.tls->server();
  CertificateTimes shorter;
  shorter.until = std::chrono::hours(24 * 20);
  fs::remove(house.certificates.files("library").certificate);
  house.certificates.of("library", {"library"}, shorter);
  for (int times = 0; times < 5000 && house.tls->server() == old; ++times) ::usleep(1000);
  CHECK(house.tls->seconds_left() <= 20 * 86400);
}

TEST_CASE("files that cannot be used are named, with what to do") {
  Certificates one, two;
  const auto good = one.of("chat"), other = two.of("chat");
  const auto write = [&one](const char* name, const char* text) {
    const auto path = (one.path / name).string();
    std::ofstream(path) << text;
    return path;
  };
  CertificateTimes past;
  past.from = std::chrono::hours(-48);
  past.until = std::chrono::hours(-24);
  const auto expired = one.of("old", {"chat"}, past);
  const auto text = write("text.pem", "no PEM"), half = write("half.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const std::tuple<MutualTlsFiles, std::string, std::string> table[] = {
      {{"/nowhere/a.pem", good.private_key, good.ca}, "The certificate /nowhere/a.pem is not there", "loggia certs"},
      {{good.certificate, "/nowhere/a.key", good.ca}, "The private key /nowhere/a.key is not there", "loggia certs"},
      {{good.certificate, good.private_key, "/nowhere/ca.pem"}, "The CA bundle /nowhere/ca.pem is not there", "loggia certs"},
      {{text, good.private_key, good.ca}, "The certificate " + text + " holds no certificate in PEM form", "correct"},
      {{half, good.private_key, good.ca}, "The certificate " + half + " holds no certificate in PEM form", "correct"},
      {{good.certificate, text, good.ca}, "The private key " + text + " holds no key in PEM form", "correct"},
      {{good.certificate, good.private_key, text}, "The CA bundle " + text + " holds no certificate", "correct"},
      {{good.certificate, other.private_key, good.ca}, "The private key " + other.private_key + " does not belong to the certificate", "together"},
      {expired, "The certificate " + expired.certificate + " has expired on 20", "renew"},
      {{good.certificate, good.private_key, other.ca}, "The certificate " + good.certificate + " is not signed by an authority", "bundle"},
  };
  for (const auto& [files, what, remedy] : table) {
    const auto loaded = MutualTls::load(files);
    REQUIRE_FALSE(loaded);
    const auto error = loaded.error();
    CAPTURE(error.detail);
    CHECK(error.code == Errc::invalid_request);
    CHECK(error.detail.starts_with(what));
    CHECK(error.detail.find(remedy) != std::string::npos);
    CHECK(error.detail.find('\n') == std::string::npos);
  }
  CHECK(MutualTls::load(good).value()->names() == std::vector<std::string>{"chat"});
}

TEST_CASE("with mTLS it listens beyond loopback, and not without being told who may call what") {
  House house("0.0.0.0:0");
  CHECK(house.send(*house.as("shop"), looking_up));
  RpcListenerOptions options;
  options.tls = house.tls;
  CHECK_FALSE(rpc_listener(std::move(options), house.shards, house.clock, house.metrics)->start());
}
