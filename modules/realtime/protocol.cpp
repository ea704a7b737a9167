#include "protocol.hpp"
#include <boost/mp11/algorithm.hpp>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::realtime {
namespace {

Refusal refusal(std::optional<std::int64_t> id, bool hello, Error error) {
  Refusal out;
  out.id = id;
  out.hello = hello;
  out.error = std::move(error);
  return out;
}

}  // namespace

std::variant<Request, Refusal> parse_request(std::string_view text) {
  auto frame = parse_untrusted(text);
  if (!frame) return refusal(std::nullopt, false, frame.error());
  if (!frame->is_object()) return refusal(std::nullopt, false, Error(Errc::malformed, "a frame is one JSON object"));
  const auto number = frame->find("id");
  const auto id = number == frame->end() ? std::nullopt : checked_integer(*number, INT64_MIN, INT64_MAX);
  if (!id) return refusal(std::nullopt, false, wrong_field("/id", "is a whole number"));
  const auto op = frame->find("op");
  if (op == frame->end() || !op->is_string()) return refusal(id, false, wrong_field("/op", "is a text"));
  const std::string name = op->get_ref<const std::string&>();
  frame->erase("id");
  frame->erase("op");
  std::optional<std::variant<Request, Refusal>> out;
  boost::mp11::mp_for_each<boost::mp11::mp_transform<std::type_identity, Operation>>([&](auto type) {
    using Op = typename decltype(type)::type;
    if (out || name != Op::name) return;
    auto decoded = decode<Op>(*frame, Manner::strict);
    if (!decoded) out = refusal(id, name == HelloOp::name, decoded.error());
    else {
      Request request;
      request.id = *id;
      request.operation = std::move(*decoded);
      out = std::move(request);
    }
  });
  if (out) return std::move(*out);
  return refusal(id, false, wrong_field("/op", "is not known: see the list of requests in asyncapi.yaml"));
}

}  // namespace loggia::realtime
