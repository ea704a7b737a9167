#pragma once
// The public edge: every request of /api/v1 on its way to a module. Authenticates, limits, checks, passes on who asks; says no in the
// words of the contract. Holds nothing of a request between two of them. Called on every shard at once.
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include "limits.hpp"
#include "loggia/auth/contract.hpp"
#include "loggia/auth/verifier.hpp"
#include "loggia/chat/contract.hpp"
#include "loggia/kernel/module.hpp"
#include "loggia/realtime/contract.hpp"
#include "origin.hpp"
#include "public_router.hpp"

namespace loggia::gateway {

/// What the edge works with; all of it is safe from every thread.
struct EdgeParts {
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
  std::shared_ptr<auth::Verifier> verifier;
  std::shared_ptr<auth::Administration> administration;  // for the audit log
  std::shared_ptr<chat::Live> live;                      // whom a guest may see
  std::shared_ptr<realtime::Doors> doors;
  std::shared_ptr<PublicRouter> router;
  Origins origins;
  std::chrono::seconds session_lifetime{std::chrono::hours(24 * 30)};
};

/// A request with what the edge found out about it.
struct Visit {
  HttpRequest request;
  Trace trace;
  Origin origin = Origin::none;
  bool secure = false;
  std::string address;
  Verdict limit;       // the one that is announced
  std::string cookie;  // the refresh token that came in the cookie, where it was used
};

class Edge {
 public:
  explicit Edge(EdgeParts parts) : parts_{std::move(parts)} {}
  /// Also from a reload.
  void set_limited(bool limited) { limited_ = limited; }

  Visit visit(HttpRequest request) const;
  /// Counts the address; the answer where it asks too often.
  std::optional<HttpResponse> too_many(Visit& visit);
  /// A request below /api/v1.
  boost::asio::awaitable<HttpResponse> answer(Visit visit);
  /// A WebSocket handshake on /api/v1/realtime.
  boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade);
  /// An answer of the edge itself.
  HttpResponse refuse(const Visit& visit, const Error& error) const;

 private:
  using Response = boost::asio::awaitable<HttpResponse>;
  HttpResponse options(const Visit& visit, const Match& match) const;
  Response call(Visit visit, Match match);
  Async<Context> admit(Visit& visit, const Route& route);
  Async<Answer> ask(Context context, const Route& route, Call call);
  Result<Call> call_of(Visit& visit, Match& match, const Context& context) const;
  Result<bool> take_cookie(Visit& visit, const Route& route, const Context& context, Call& call) const;
  Result<bool> within_limits(Visit& visit, const Route& route, const Context& context);
  boost::asio::awaitable<void> record(Context context, std::string action, std::string target);
  HttpResponse finished(const Visit& visit, const Route& route, const Call& call, Answer answer) const;
  HttpResponse failed(const Visit& visit, const Route& route, Error error) const;
  void decorate(const Visit& visit, HttpResponse& response) const;

  EdgeParts parts_;
  std::atomic<bool> limited_{true};
  RateLimiter limiter_;
};

}  // namespace loggia::gateway
