#include "rpc/knock.hpp"
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include "loggia/kernel/mutual_tls.hpp"

namespace loggia::rpc {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using http::IoResult;

constexpr std::size_t answer_head_max = 16u << 10, refusal_max = 64u << 10, piece = 16u << 10;
/// Of a refusal, what the client is to see beside its body.
constexpr std::string_view passed_on[] = {"content-type", "retry-after", "sec-websocket-version", "upgrade"};

/// The connection while it is ours, with an end of its time.
struct Outward {
  explicit Outward(http::Stream connecting) : stream{std::move(connecting)} {}
  http::Stream stream;
  std::string in;
  Shards::Timer timer;
  bool late = false;
};
using OutwardPtr = std::shared_ptr<Outward>;

/// A cancelled task ends here: that says nothing about the instance.
void check(const Outward& wire, const error_code& error) {
  if (error == asio::error::operation_aborted && !wire.late) throw boost::system::system_error(error);
}

std::string trouble(const Outward& wire, std::string_view what) {
  const auto tls = wire.stream.tls_failure();
  if (wire.late) return "it did not answer in time";
  return tls == http::TlsFailure::none ? std::string(what) : "TLS: " + std::string(to_text(tls));
}

http::Stream stream_on(const Executor& executor, int descriptor, const Knock& knock) {
  http::Stream out(executor, descriptor, knock.peer.address().is_v6(), knock.tls ? knock.tls->client() : nullptr);
  out.expect_peer(knock.module);
  return out;
}

/// A socket that connects; a number below 0: it does not, errno has why.
int begin_to_connect(const asio::ip::tcp::endpoint& peer) {
  const int out = ::socket(peer.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (out < 0) return out;
  const int on = 1, quiet = 60;
  ::setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A machine that is gone says nothing, and an idle tunnel asks nothing of it.
  ::setsockopt(out, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(out, IPPROTO_TCP, TCP_KEEPIDLE, &quiet, sizeof quiet);
  if (::connect(out, peer.data(), static_cast<socklen_t>(peer.size())) == 0 || errno == EINPROGRESS) return out;
  const int error = errno;
  ::close(out);
  errno = error;
  return -1;
}

asio::awaitable<bool> send(OutwardPtr wire, std::string_view bytes) {
  while (!bytes.empty() || wire->stream.unsent()) {
    iovec buffer;
    buffer.iov_base = const_cast<char*>(bytes.data());
    buffer.iov_len = bytes.size();
    const auto sent = wire->stream.write(std::span<const iovec>(&buffer, bytes.empty() ? 0 : 1));
    if (sent.state == IoResult::State::ok) {
      bytes.remove_prefix(sent.bytes);
      continue;
    }
    if (sent.state != IoResult::State::again) co_return false;
    error_code error;
    co_await wire->stream.when_writable(asio::redirect_error(asio::use_awaitable, error));
    check(*wire, error);
    if (error) co_return false;
  }
  co_return true;
}

/// Some more bytes; false at the end.
asio::awaitable<bool> read(OutwardPtr wire) {
  for (;;) {
    const auto before = wire->in.size();
    wire->in.resize(before + piece);
    const auto got = wire->stream.read(wire->in.data() + before, piece);
    wire->in.resize(before + (got.state == IoResult::State::ok ? got.bytes : 0));
    if (got.state == IoResult::State::ok) co_return true;
    if (got.state != IoResult::State::again) co_return false;
    error_code error;
    co_await wire->stream.when_readable(asio::redirect_error(asio::use_awaitable, error));
    check(*wire, error);
    if (error) co_return false;
  }
}

Knocked nobody_there(const Outward& wire, std::string_view what) {
  Knocked out;
  out.why = trouble(wire, what);
  out.tls = wire.stream.tls_failure();
  return out;
}

/// The answer that the client gets: of what the instance said, what belongs to the handshake.
Knocked let_in(Outward& wire, const AnswerHead& head, const Knock& knock) {
  if (!http::iequals(head.header("upgrade"), "websocket") || head.header("sec-websocket-accept") != knock.accept)
    return nobody_there(wire, "it answered another handshake");
  wire.timer = nullptr;
  std::string answer = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n";
  for (const auto& [name, value] : head.headers)
    if (name.starts_with("sec-websocket-")) ((answer += name) += ": ") += value + "\r\n";
  Knocked out;
  out.far.emplace(http::FarEnd{std::move(wire.stream), answer += "\r\n", std::move(wire.in), nullptr});
  return out;
}

Knocked turned_away(Outward& wire, const AnswerHead& head) {
  Knocked out;
  auto& refusal = out.refusal.emplace();
  refusal.status = head.status;
  for (const auto& field : head.headers)
    if (std::find(std::begin(passed_on), std::end(passed_on), field.first) != std::end(passed_on)) refusal.headers.push_back(field);
  refusal.body = wire.in.substr(0, head.length);
  return out;
}

std::size_t end_of_head(const std::string& in) {
  const auto at = in.find("\r\n\r\n");
  return at == in.npos ? 0 : at + 4;
}

}  // namespace

std::string_view AnswerHead::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

std::optional<AnswerHead> read_answer_head(std::string_view head) {
  constexpr std::string_view version = "HTTP/1.1 ";
  AnswerHead out;
  if (!head.starts_with(version) || head.size() < version.size() + 4) return std::nullopt;
  const auto* digits = head.data() + version.size();
  if (std::from_chars(digits, digits + 3, out.status).ptr != digits + 3 || out.status < 100 || (digits[3] != ' ' && digits[3] != '\r'))
    return std::nullopt;
  head.remove_prefix(std::min(head.find("\r\n"), head.size() - 2) + 2);
  for (auto end = head.find("\r\n"); end != 0; end = head.find("\r\n")) {
    if (end == head.npos) return std::nullopt;
    const auto line = head.substr(0, end);
    head.remove_prefix(end + 2);
    const auto colon = std::min(line.find(':'), line.size());
    std::string name(line.substr(0, colon));
    const auto value = colon == line.size() ? std::string_view() : http::trimmed(line.substr(colon + 1));
    if (colon == line.size() || !http::is_token(name) || !http::is_field_value(value)) return std::nullopt;
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (name == "transfer-encoding") return std::nullopt;  // our listener sends none
    if (name == "content-length") {
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), out.length);
      if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size()) return std::nullopt;
    }
    out.headers.emplace_back(std::move(name), value);
  }
  return out;
}

asio::awaitable<Knocked> knock(std::shared_ptr<Shards> shards, std::size_t shard, std::shared_ptr<const Knock> knock) {
  const int descriptor = begin_to_connect(knock->peer);
  if (descriptor < 0) {
    Knocked out;
    out.why = std::strerror(errno);
    co_return out;
  }
  const auto wire = std::make_shared<Outward>(stream_on(shards->executor(shard), descriptor, *knock));
  wire->timer = shards->after(shard, knock->limit, [weak = std::weak_ptr(wire)] {
    const auto held = weak.lock();
    if (!held) return;
    held->late = true;
    held->stream.close();
  });
  error_code error;
  co_await wire->stream.when_connected(asio::redirect_error(asio::use_awaitable, error));
  check(*wire, error);
  if (const int problem = wire->stream.connect_error(); error || problem != 0) co_return nobody_there(*wire, std::strerror(problem));
  if (!co_await send(wire, knock->request)) co_return nobody_there(*wire, "it takes no handshake");
  std::size_t size = 0;
  while ((size = end_of_head(wire->in)) == 0) {
    if (wire->in.size() > answer_head_max) co_return nobody_there(*wire, "the head of its answer is too large");
    if (!co_await read(wire)) co_return nobody_there(*wire, "it gave no answer");
  }
  auto head = read_answer_head(std::string_view(wire->in).substr(0, size));
  wire->in.erase(0, size);
  if (head && head->status == 101) co_return let_in(*wire, *head, *knock);
  if (!head || head->status < 300 || head->length > refusal_max) co_return nobody_there(*wire, "it answered what no listener of ours does");
  while (wire->in.size() < head->length)
    if (!co_await read(wire)) co_return nobody_there(*wire, "its answer ended too early");
  co_return turned_away(*wire, *head);
}

}  // namespace loggia::rpc
