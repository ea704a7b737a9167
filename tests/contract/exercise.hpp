#pragma once
// One run of a contract's cases on one way. Every answer goes into a transcript, encoded; the three ways' transcripts must be the same.
// A Port's requests are known while compiling: each must get an answer and a refusal, or say why it never refuses.
#include <doctest/doctest.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>
#include "contract/houses/houses.hpp"
#include "contract/ways.hpp"
#include "loggia/kernel/json.hpp"
#include "support/print.hpp"

namespace loggia::contract {

template <class P> struct RoutesOf;
template <class... Rs> struct RoutesOf<Port<Rs...>> {
  static std::vector<std::string> list() { return {std::string(Rs::route)...}; }
};
template <class... Ps> std::vector<std::string> routes_of() {
  std::vector<std::string> out;
  const auto add = [&out](std::vector<std::string> more) { out.insert(out.end(), more.begin(), more.end()); };
  (add(RoutesOf<Ps>::list()), ...);
  return out;
}

class Exercise {
 public:
  explicit Exercise(Way& way) : way_{way} {}

  /// Somebody who asks through the gateway.
  Context as(const Uuid& subject, const std::string& username, std::vector<std::string> roles = std::vector<std::string>(1, "member")) const;
  Context as(int number) const { return as(Uuid(person(number)), name_of(number)); }
  /// Nobody yet; a module on its own behalf.
  Context outside() const;
  Context module(const std::string& name) const;
  /// Whose time is over: what every request refuses that asks a store.
  static Context too_late(const Context& context) { return context.until(Moment::min()); }

  Way& way() { return way_; }
  void note(std::string_view route, const std::string& answer);
  void note(std::string_view route, const Error& error);
  void never_refuses(std::string_view route);
  /// What no test of a contract can have an answer to, since it takes what only a mail holds.
  void never_answers(std::string_view route);

  struct Seen {
    int answers = 0, refusals = 0;
  };
  const std::map<std::string, Seen>& seen() const { return seen_; }
  const std::vector<std::string>& transcript() const { return transcript_; }

 private:
  Way& way_;
  std::map<std::string, Seen> seen_;
  std::vector<std::string> transcript_;
};

/// Its names in order: an event comes over the wire as the same object, but the order of its names, which means nothing, is not kept.
std::string canonical(const std::string& json);

/// A reply in words; an Outcome says whether it was made now.
template <class T> struct Shown {
  static std::string text(const T& reply) { return canonical(encode(reply)); }
};
template <> struct Shown<Nothing> {
  static std::string text(const Nothing&) { return "nothing"; }
};
template <class T> struct Shown<Outcome<T>> {
  static std::string text(const Outcome<T>& reply) { return (reply.created ? "new " : "old ") + canonical(encode(reply.value)); }
};

void expect_answer(std::string_view route, const Error* error);
void expect_refusal(std::string_view route, Errc wanted, const Error* error);

/// Asks a port of the way, and says what is expected.
template <class P> class Asker {
 public:
  explicit Asker(Exercise& exercise) : exercise_{exercise}, port_{exercise.way().ports().template get<P>()} {}

  template <class R> Result<typename R::Reply> ask(const Context& context, R request) {
    exercise_.way().step();
    auto reply = test::wait(exercise_.way().shards(), static_cast<Slot<R>&>(*port_).on(context, std::move(request)));
    if (reply) exercise_.note(R::route, Shown<typename R::Reply>::text(*reply));
    else exercise_.note(R::route, reply.error());
    return reply;
  }
  /// The answer; a refusal ends the test.
  template <class R> typename R::Reply good(const Context& context, R request) {
    auto reply = ask(context, std::move(request));
    const Error* problem = nullptr;
    Error error;
    if (!reply) {
      error = reply.error();
      problem = &error;
    }
    expect_answer(R::route, problem);
    return std::move(*reply);
  }
  template <class R> void bad(Errc wanted, const Context& context, R request) {
    const auto reply = ask(context, std::move(request));
    const Error error = reply ? Error() : reply.error();
    expect_refusal(R::route, wanted, reply ? nullptr : &error);
  }
  /// For a request that only time refuses.
  template <class R> void late(const Context& context, R request) { bad(Errc::timeout, Exercise::too_late(context), std::move(request)); }

 private:
  Exercise& exercise_;
  std::shared_ptr<P> port_;
};

/// The cases of some ports of a module. Made before main(), one in each file.
struct Contract {
  Contract(std::string module, std::vector<std::string> routes, void (*cases)(Exercise&));
  std::string module;
  std::vector<std::string> routes;
  void (*cases)(Exercise&);
};
const std::vector<const Contract*>& contracts();

/// Runs the cases here, serialised and over mTLS, and compares.
void run_three_ways(const Contract& contract);

}  // namespace loggia::contract
