// Calls between modules: the Context in header fields, and the answer of the other side. The input is lines of `name: value`, then,
// behind an empty line, a body.
#include "fuzz/target.hpp"
#include "rpc/form.hpp"

namespace loggia::fuzz::rpc_target {
namespace {

bool same(const Context& a, const Context& b) {
  const auto &x = a.caller(), &y = b.caller();
  return x.subject == y.subject && x.session == y.session && x.username == y.username && x.roles == y.roles && x.module == y.module &&
         a.trace().parent() == b.trace().parent() && a.deadline() == b.deadline() && a.idempotency_key() == b.idempotency_key() &&
         a.address() == b.address() && a.client() == b.client();
}

}  // namespace
}  // namespace loggia::fuzz::rpc_target

LOGGIA_FUZZ(rpc) {
  using namespace loggia;
  using namespace loggia::fuzz;
  const Moment now{std::chrono::hours(1000)};
  HttpRequest request;
  rpc::Received received;
  received.status = 200 + static_cast<int>(choice(input, 250)) * 2;
  while (!input.empty()) {
    auto line = part(input, '\n');
    if (line.empty()) break;
    std::string name(part(line, ':'));
    if (name == "content-type") received.content_type = line;
    if (name == "retry-after") received.retry_after = line;
    request.headers.emplace_back(std::move(name), line);
  }
  received.body = input;
  if (const auto context = rpc::context_of(request, now)) {
    std::optional<milliseconds> left;
    if (context->deadline() != Moment::max()) left = std::chrono::duration_cast<milliseconds>(context->deadline() - now);
    HttpRequest second;
    second.headers = rpc::headers_of(*context, left, true);
    const auto again = rpc::context_of(second, now);
    require(again && (context->caller().roles.empty() || rpc_target::same(*context, *again)), "a context read and written is read equal");
  }
  const auto answer = rpc::answer_of(received);
  require(answer.has_value() == (received.status < 300), "an answer is one by its status");
}
