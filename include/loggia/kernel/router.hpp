#pragma once
// The serialised side of a contract: a call as bytes, and who answers it. The public edge, the inner listener and the loopback
// of the tests are routers; HTTP clients and the loopback are transports.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "loggia/kernel/bytes.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia {

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// A request on the wire: path parameters by name, query parameters, JSON body (empty: none).
struct Call {
  std::string route;  // as declared: "GET /users/{id}"
  Parameters path, query;
  std::string body;
  bool strict = false;       // the public edge: unknown fields are an error
  bool keyed = false;        // the route takes an Idempotency-Key: with one, the call may be sent again
  bool repeatable = false;   // twice is as good as once: the request has a name of its own (`client_id`), or only reads though it is no GET
  ByteStream bytes;          // of a route that takes some: instead of the body
  bool wants_bytes = false;  // the route gives some
  /// The modules in the verified certificate of the process that called. Null: there is none to verify (no mTLS, the public edge, the same process).
  std::shared_ptr<const std::vector<std::string>> peer;

  bool reads() const { return route.starts_with("GET "); }
  /// Whether it may be sent again where no answer came. Bytes are there once only.
  bool may_repeat(const Context& context) const { return !bytes && (reads() || repeatable || (keyed && !context.idempotency_key().empty())); }
};
struct Answer {
  int status = 200;
  std::string body;  // JSON, or empty
  ByteStream bytes;  // beside the body, which says what they are
};

struct Codec;
struct Shape;

/// What is known of a route beside its handler, for routers and for the API description. Texts are literals.
struct RouteInfo {
  std::string_view route;
  Access access = Access::user;
  int status = 200;        // of success
  bool may_exist = false;  // 200 beside `status`
  bool idempotent = false;
  std::string_view summary;
  std::string_view inner;  // a member that the gateway fills in: not described
  bool has_body = false;
  bool takes_bytes = false, gives_bytes = false;
  const Shape* request = nullptr;  // its members and their rules; kernel/json.hpp
  const Codec* reply = nullptr;    // none: no content
};

using RouteHandler = std::function<Async<Answer>(Context, Call)>;

class Router {
 public:
  virtual ~Router() = default;
  /// Before serving starts only. A route twice is a mistake of the program: std::logic_error.
  virtual void on(RouteInfo info, RouteHandler handler) = 0;
};

/// Carries a call to another process, or pretends to. The Context's caller, deadline, trace, key, address travel along.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Async<Answer> send(Context context, Call call) = 0;
};

}  // namespace loggia
