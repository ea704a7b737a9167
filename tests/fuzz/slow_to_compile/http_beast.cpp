// A second reader: what the guard takes, Beast 1.81's parser must read as the same request, or refuse. (Which of the two stands behind
// the other does not matter: a difference is how a request is smuggled.) Built for libFuzzer alone: Beast costs a compiler 20 s.
#include <boost/beast/http.hpp>
#include "fuzz/requests.hpp"
#include "fuzz/target.hpp"

LOGGIA_FUZZ(http_beast) {
  namespace beast = boost::beast;
  using namespace loggia::fuzz;
  const auto ours = read_stream(input, input.size());
  std::size_t at = 0;
  for (const auto& message : ours.messages) {
    beast::http::request_parser<beast::http::string_body> parser;
    parser.eager(true);
    parser.header_limit(1u << 16);
    parser.body_limit(1u << 16);
    beast::error_code error;
    while (at < message.end && !parser.is_done() && !error) {
      const auto used = parser.put(boost::asio::buffer(input.data() + at, message.end - at), error);
      if (error == beast::http::error::need_more) {
        error = {};
        if (used == 0) break;
      }
      at += used;
    }
    if (error) return;
    require(parser.is_done(), "the other reader finds the end where the guard does");
    require(at == message.end, "the other reader takes as many bytes as the guard");
    const auto& request = parser.get();
    require(request.body() == message.body, "the other reader sees the same body");
    require(request.method_string() == message.head.request.method, "the other reader sees the same method");
    require(request.target() == message.head.request.target, "the other reader sees the same target");
    require(request[beast::http::field::host] == message.head.request.header("host"), "the other reader sees the same Host");
  }
}
