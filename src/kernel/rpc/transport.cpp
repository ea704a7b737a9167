// The calling side: which connection a call takes, and what may be said to the caller of one that got no answer.
#include <algorithm>
#include <deque>
#include <vector>
#include "http/listener.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/rpc.hpp"
#include "rpc/connection.hpp"

namespace loggia {
namespace rpc {
namespace {

/// What a caller without an answer may conclude: the rule of contract section 5, in one place.
Error failure_of(Ending ending, bool changes) {
  if (ending == Ending::late) return Error(Errc::timeout, "the module did not answer in time");
  if (ending == Ending::unsent) return Error(Errc::unavailable, "the module cannot be reached");
  if (changes) return Error(Errc::outcome_unknown, "the module gave no answer: it may or may not have happened");
  if (ending == Ending::too_much) return Error(Errc::internal, "the module's answer is too large");
  return Error(Errc::unavailable, "the module gave no answer");
}

using Reach = InstanceTransport::Reach;

Reach reach_of(Ending ending) {
  switch (ending) {
    case Ending::unsent:
      return Reach::unsent;
    case Ending::silent:
    case Ending::broken:
      return Reach::lost;
    case Ending::late:
      return Reach::late;
    case Ending::answered:
    case Ending::too_much:
      return Reach::answered;
    case Ending::given_up:
      return Reach::untried;
  }
  return Reach::untried;
}

/// The bytes of an answer, over the connection that is theirs.
class AnswerBody final : public ByteSource {
 public:
  AnswerBody(std::unique_ptr<Connection> connection, Pace pace) : connection_{std::move(connection)}, pace_{std::move(pace)} {}
  boost::asio::awaitable<Result<std::string>> read(Moment deadline) override {
    auto pace = pace_;
    pace.deadline = std::min(pace.deadline, deadline);
    return connection_->next_piece(std::move(pace));
  }

 private:
  const std::unique_ptr<Connection> connection_;
  const Pace pace_;
};

class HttpTransport final : public InstanceTransport {
 public:
  HttpTransport(RpcTransportOptions options, boost::asio::ip::tcp::endpoint peer, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock)
      : options_{std::move(options)}, endpoint_{std::move(peer)}, shards_{std::move(shards)}, clock_{std::move(clock)}, idle_(shards_->size()) {}

  Async<Answer> attempt(Context context, Call call, Reach* reach) override {
    *reach = Reach::untried;
    if (call.body.size() > options_.request_max) co_return Error(Errc::too_large, "the request is too large for the module that answers it");
    if (call.bytes || call.wants_bytes) {
      auto streamed = stream(std::move(context), std::move(call), reach);
      co_return co_await std::move(streamed);
    }
    const auto shard = shards_->current();
    const auto deadline = std::min(context.deadline(), clock_->moment() + options_.call_timeout);
    if (deadline <= clock_->moment()) co_return Error(Errc::timeout, "there was no time left to begin");
    const bool changes = !call.reads(), repeatable = call.may_repeat(context);
    const auto request = request_of(context, call, deadline);
    for (;;) {
      auto connection = take(shard);
      const bool used = connection != nullptr;
      if (!used) {
        connection = make_connection(shards_->executor(shard), peer());
        const bool connected = co_await connection->connect(std::min(options_.connect_timeout, left(deadline)));
        if (!connected) *reach = deadline <= clock_->moment() ? Reach::late : Reach::unsent;
        if (!connected) note_refusal(context, connection->failure());
        if (!connected && deadline <= clock_->moment()) co_return failure_of(Ending::late, changes);
        if (!connected) co_return failure_of(Ending::unsent, changes);
      }
      auto exchange = co_await connection->exchange(request, left(deadline));
      *reach = reach_of(exchange.ending);
      if (exchange.ending == Ending::answered) {
        if (exchange.received.turned_away) *reach = Reach::turned_away;
        give_back(shard, std::move(connection));
        co_return answer_of(std::move(exchange.received));
      }
      note_refusal(context, connection->failure());
      // A kept connection that the peer closed meanwhile says nothing about the peer: once more, on a new one.
      const bool stale = used && (exchange.ending == Ending::unsent || (exchange.ending == Ending::silent && repeatable));
      if (!stale) co_return failure_of(exchange.ending, changes);
      idle_[shard].clear();
    }
  }

 private:
  /// The body of the call goes over into it.
  std::shared_ptr<Request> request_of(const Context& context, Call& call, Moment deadline) const {
    const bool bounded = context.deadline() != Moment::max();
    auto out = std::make_shared<Request>();
    out->method = method_of(call.route);
    out->target = target_of(call);
    out->host = options_.address;
    out->headers = headers_of(context, bounded ? std::optional(left(deadline)) : std::nullopt, options_.carries_people);
    out->chunked = call.bytes.operator bool();
    if (!out->chunked) out->body = std::move(call.body);
    return out;
  }

  /// On a connection of its own, and never twice: bytes are read once. With some to send `unsent` is said only where there was no connection.
  Async<Answer> stream(Context context, Call call, Reach* reach) {
    Pace pace;
    pace.deadline = context.deadline();
    pace.step = options_.call_timeout;
    pace.clock = clock_;
    if (pace.left() <= milliseconds(0)) co_return Error(Errc::timeout, "there was no time left to begin");
    const bool changes = !call.reads();
    auto connection = make_connection(shards_->executor(shards_->current()), peer());
    const bool connected = co_await connection->connect(std::min(options_.connect_timeout, pace.left()));
    if (!connected) {
      const bool late = pace.left() <= milliseconds(0);
      *reach = late ? Reach::late : Reach::unsent;
      note_refusal(context, connection->failure());
      co_return failure_of(late ? Ending::late : Ending::unsent, changes);
    }
    auto exchange = co_await connection->stream(request_of(context, call, pace.deadline), call.bytes, pace);
    *reach = reach_of(exchange.ending);
    if (exchange.received.turned_away && !call.bytes) *reach = Reach::turned_away;  // what was read of the bytes is gone
    if (exchange.ending == Ending::given_up) co_return std::move(exchange.why);
    if (exchange.ending == Ending::answered && !exchange.bytes) co_return answer_of(std::move(exchange.received));
    if (exchange.ending == Ending::answered) {
      auto body = std::make_shared<AnswerBody>(std::move(connection), std::move(pace));
      co_return answer_of(exchange.received, ByteStream(std::move(body)));
    }
    note_refusal(context, connection->failure());
    if (call.bytes && *reach == Reach::unsent) *reach = Reach::lost;
    co_return failure_of(exchange.ending, changes);
  }

  struct Idle {
    std::unique_ptr<Connection> connection;
    Moment since;
  };

  /// At least a millisecond: what is over is found out by the wait itself.
  milliseconds left(Moment deadline) const { return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(deadline - clock_->moment())); }

  Peer peer() const {
    Peer out;
    out.endpoint = endpoint_;
    out.answer_max = options_.answer_max;
    if (options_.tls) out.tls = options_.tls->client();
    out.module = options_.module;
    return out;
  }

  void note_refusal(const Context& context, http::TlsFailure failure) const {
    if (failure == http::TlsFailure::none) return;
    const std::string reason(http::to_text(failure));
    log::warn(context, "rpc.peer_refused", Field("module", options_.module), Field("address", options_.address), Field("reason", reason));
    if (options_.metrics) refused(*options_.metrics, reason).add();
  }

  std::unique_ptr<Connection> take(std::size_t shard) {
    auto& idle = idle_[shard];
    while (!idle.empty()) {
      auto last = std::move(idle.back());
      idle.pop_back();
      if (clock_->moment() - last.since < options_.idle_timeout && last.connection->kept()) return std::move(last.connection);
    }
    return nullptr;
  }

  void give_back(std::size_t shard, std::unique_ptr<Connection> connection) {
    auto& idle = idle_[shard];
    // The last is taken first, so that what a rush has left behind comes to its end.
    while (!idle.empty() && clock_->moment() - idle.front().since >= options_.idle_timeout) idle.pop_front();
    if (!connection->kept() || idle.size() >= options_.idle_max) return;
    Idle one;
    one.connection = std::move(connection);
    one.since = clock_->moment();
    idle.push_back(std::move(one));
  }

  const RpcTransportOptions options_;
  const boost::asio::ip::tcp::endpoint endpoint_;
  const std::shared_ptr<Shards> shards_;
  const std::shared_ptr<Clock> clock_;
  std::vector<std::deque<Idle>> idle_;  // by shard, each touched there alone
};

}  // namespace
}  // namespace rpc

Async<Answer> InstanceTransport::send(Context context, Call call) {
  auto reach = Reach::untried;
  auto answer = attempt(std::move(context), std::move(call), &reach);
  co_return co_await std::move(answer);
}

Result<std::shared_ptr<InstanceTransport>> rpc_transport(RpcTransportOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock) {
  auto peer = http::parse_listen(options.address);
  if (!peer || peer->port() == 0)
    return Error(Errc::invalid_request, "'" + options.address + "' is no address of a module: write ADDRESS:PORT or [ADDRESS]:PORT.");
  if (options.tls && options.module.empty())
    return Error(Errc::invalid_request, "Whom to expect at " + options.address + " is not said: with mTLS a transport needs the name of a module.");
  std::shared_ptr<InstanceTransport> out = std::make_shared<rpc::HttpTransport>(std::move(options), *peer, std::move(shards), std::move(clock));
  return out;
}

}  // namespace loggia
