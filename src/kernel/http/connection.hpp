#pragma once
// One HTTP/1.1 connection: reads a head into a bounded buffer, has the guard read it, reads the body, runs the handler, writes the
// answer; one request at a time, in order. While a handler runs nothing is read but what it reads of a streamed body. On its shard; kept alive by
// what it waits for.
#include <boost/asio/cancellation_signal.hpp>
#include <optional>
#include "http/body.hpp"
#include "http/core.hpp"
#include "http/stream.hpp"
#include "http/tunnel.hpp"

namespace loggia::http {

class HttpConnection final : public Member {
 public:
  HttpConnection(std::shared_ptr<Core> core, std::size_t shard, Slot slot, Stream stream, std::string remote);
  void start();

  void flush() override {}
  void sweep(Moment now) override;
  void drain() override;
  void terminate() override;

 private:
  friend class UpgradeRequest;
  friend class RequestBody;
  static constexpr std::size_t discarded_max = 64u << 20;
  enum class Phase : std::uint8_t { head, body, handling, writing, streaming, lingering, ended };
  std::shared_ptr<HttpConnection> self() { return std::static_pointer_cast<HttpConnection>(shared_from_this()); }
  std::string_view unread() const { return std::string_view(in_).substr(in_at_); }
  bool idle() const { return phase_ == Phase::head && !head_begun_; }
  void consume(std::size_t bytes);
  void wait_read();
  void on_readable();
  void proceed();
  bool read_head_bytes();
  bool read_body_bytes();
  bool skip_blank_lines();
  bool ask_for_body();
  void dispatch();
  void leave_body(Head& head);
  void drop_identity(Parameters& headers);
  void run();
  void run_upgrade();
  void failed(const std::exception_ptr& error);
  void refuse(int status, std::string_view detail);
  void respond(HttpResponse response);
  void write();
  void answered();
  void linger();
  boost::asio::awaitable<Result<std::string>> next_piece(Moment deadline);
  boost::asio::awaitable<bool> wait_for(bool readable, milliseconds limit);
  void respond_streaming();
  boost::asio::awaitable<bool> stream_out(ByteStream bytes, Moment until);
  boost::asio::awaitable<bool> write_out();
  void watch();
  void refuse_tls();
  std::shared_ptr<WebSocket> hand_over(const HttpRequest& request, std::string_view subprotocol, WebSocket::Limits limits);
  void join(FarEnd far);
  std::string upgraded();
  void end();

  Stream stream_;
  Slot slot_;
  const std::string remote_;
  std::string in_;  // read and not yet used up; holds no memory between requests
  std::size_t in_at_ = 0;
  HeadScanner scanner_;
  std::optional<Head> head_;
  BodyReader body_;
  std::string out_;  // the answer's head
  HttpResponse response_;
  std::size_t sent_ = 0, discarded_ = 0;
  Moment deadline_ = Moment::max(), started_, body_started_, linger_end_;
  milliseconds body_waited_{0};
  std::uint64_t body_bytes_ = 0;
  boost::asio::cancellation_signal cancel_;
  Phase phase_ = Phase::head;
  std::uint8_t blank_lines_ = 0;
  bool close_ = false, head_only_ = false, head_begun_ = false, handing_over_ = false, waiting_ = false;
  bool http_1_0_ = false, asks_first_ = false, body_left_ = false;  // of a streamed body: 100 Continue is still to be sent; not all of it was read
};

}  // namespace loggia::http
