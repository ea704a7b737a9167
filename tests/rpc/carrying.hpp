#pragma once
// Both ends of calls with bytes: a listener and its transport, and a caller of a peer that says what a test wants.
#include <doctest/doctest.h>
#include <atomic>
#include <limits>
#include <mutex>
#include <optional>
#include "kernel/fixtures.hpp"
#include "loggia/kernel/module.hpp"
#include "loggia/kernel/rpc.hpp"
#include "rpc/peer.hpp"
#include "support/certificates.hpp"
#include "support/print.hpp"

namespace loggia::rpc::testing {

inline constexpr const char *taking = "POST /books", *giving = "GET /books", *trading = "POST /trades";

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
inline Async<Drunk> drink(ByteStream bytes, Moment deadline, std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
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

inline const std::string post_head = "POST /rpc/books HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n";
inline const std::string bytes_head = "HTTP/1.1 200 OK\r\nloggia-reply: %7B%7D\r\nTransfer-Encoding: chunked\r\n\r\n";

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

}  // namespace loggia::rpc::testing
