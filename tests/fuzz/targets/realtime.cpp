// Frames from clients of loggia.v1: what is taken is the same when it is written and read again; what is not is answered or closes.
#include "fuzz/target.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "realtime/protocol.hpp"

LOGGIA_FUZZ(realtime) {
  using namespace loggia;
  using namespace loggia::fuzz;
  const auto parsed = realtime::parse_request(input);
  if (const auto* refusal = std::get_if<realtime::Refusal>(&parsed)) {
    require(!refusal->error.detail.empty() || !refusal->error.fields.empty(), "a refusal says why");
    require(!refusal->hello || refusal->id, "a refused hello has an id");
    return;
  }
  const auto& request = std::get<realtime::Request>(parsed);
  std::string text = R"({"id":)" + std::to_string(request.id) + R"(,"op":")";
  std::visit(
      [&](const auto& op) {
        const auto fields = encode(op);
        text += std::string(std::decay_t<decltype(op)>::name) + '"' + (fields == "{}" ? fields.substr(1) : ',' + fields.substr(1));
      },
      request.operation);
  const auto again = realtime::parse_request(text);
  require(std::holds_alternative<realtime::Request>(again), "what was read and written is read again");
  const auto& second = std::get<realtime::Request>(again);
  require(second.id == request.id && second.operation.index() == request.operation.index(), "it is the same request");
  std::visit([&](const auto& op) { require(encode(op) == encode(std::get<std::decay_t<decltype(op)>>(second.operation)), "with the same fields"); },
             request.operation);
}
