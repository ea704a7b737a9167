#pragma once
// What travels with every call: who asks, until when, and as part of what. First parameter, by value.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/id.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia {

/// Who asks. A nil subject is nobody: an open route, or a module on its own behalf (then `module` names it).
struct Caller {
  Uuid subject;
  Uuid session;
  std::string username;
  std::vector<std::string> roles;
  std::string module;

  bool known() const { return !subject.nil(); }
  bool is(std::string_view role) const { return std::find(roles.begin(), roles.end(), role) != roles.end(); }
};

/// W3C Trace Context (https://www.w3.org/TR/trace-context/), level 1.
struct Trace {
  std::string id;    // 32 hex digits
  std::string span;  // 16 hex digits
  std::string parent() const { return "00-" + id + "-" + span + "-01"; }
  /// The trace of a `traceparent` header; nothing where it is not one.
  static Result<Trace> parse(std::string_view traceparent);
};
/// A new trace, and a child of one.
Trace new_trace(Random& random);
Trace child_of(const Trace& parent, Random& random);

/// Where a request came from, for sessions, limits and the audit log.
struct Whence {
  std::string address, client;
};

/// Copied at every step of a call, so what it says is shared and never changed.
/// Has a constructor on purpose: g++ 12 copies braced temporaries in awaiting statements byte by byte.
class Context {
 public:
  Context() : deadline_{Moment::max()} {}
  explicit Context(Trace trace, Moment deadline = Moment::max()) : trace_{std::make_shared<const Trace>(std::move(trace))}, deadline_{deadline} {}

  const Caller& caller() const { return of(caller_); }
  const Trace& trace() const { return of(trace_); }
  Moment deadline() const { return deadline_; }
  const std::string& idempotency_key() const { return idempotency_key_; }
  const std::string& address() const { return of(whence_).address; }
  const std::string& client() const { return of(whence_).client; }

  /// None: nobody.
  Context as(std::shared_ptr<const Caller> caller) const {
    Context c(*this);
    c.caller_ = std::move(caller);
    return c;
  }
  Context as(Caller caller) const { return as(std::make_shared<const Caller>(std::move(caller))); }
  Context until(Moment deadline) const {
    Context c(*this);
    c.deadline_ = std::min(deadline_, deadline);
    return c;
  }
  Context keyed(std::string key) const {
    Context c(*this);
    c.idempotency_key_ = std::move(key);
    return c;
  }
  Context from(std::shared_ptr<const Whence> whence) const {
    Context c(*this);
    c.whence_ = std::move(whence);
    return c;
  }
  Context from(std::string address, std::string client) const {
    return from(std::make_shared<const Whence>(Whence{std::move(address), std::move(client)}));
  }
  Context traced(Trace trace) const {
    Context c(*this);
    c.trace_ = std::make_shared<const Trace>(std::move(trace));
    return c;
  }

 private:
  template <class T> static const T& of(const std::shared_ptr<const T>& said) {
    static const T nothing{};
    return said ? *said : nothing;
  }
  std::shared_ptr<const Caller> caller_;
  std::shared_ptr<const Trace> trace_;
  std::shared_ptr<const Whence> whence_;
  Moment deadline_;
  std::string idempotency_key_;
};

}  // namespace loggia
