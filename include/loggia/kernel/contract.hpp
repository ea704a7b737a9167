#pragma once
// A contract is a list of requests. A port answers them: a service in this process, or a proxy to one elsewhere.
//
//   struct GetUser {
//     using Reply = User;
//     static constexpr std::string_view route = "GET /users/{id}";   // relative to /api/v1
//     static constexpr Access access = Access::user;
//     UserId id;
//   };
//   BOOST_DESCRIBE_STRUCT(GetUser, (), (id))
//   using Users = Port<GetUser, RenameUser>;
//
// Members named in the route's path travel there; of GET and DELETE the others are query parameters, of the rest the JSON body.
// Optional statics of a request or of any described struct:
//   status    the success status; else POST 201, GET and PATCH 200, DELETE and PUT 204
//   rules     an array of Rule: constraints, declared once, used for validation and for the schema
//   summary   a sentence for the API description
//   idempotent  true: takes an Idempotency-Key (section 2)
//   once_by   the member (`&R::client_id`) under whose value, if it has one, the request counts once however often it comes
//   inner     the name of a member that the gateway fills in: no part of the public description
// A request or a reply whose body is bytes that nobody holds as a whole has a member `ByteStream bytes` that is not described (bytes.hpp). What else
// such a request says travels in the path and in query parameters. Who answers reads what it wants of them before it answers: with the answer the
// request's bytes are over.
#include <boost/asio/awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include "loggia/kernel/context.hpp"
#include "loggia/kernel/result.hpp"

namespace loggia {

template <class T> using Async = boost::asio::awaitable<Result<T>>;

/// Who may use a route from outside. `internal` is never reachable there: modules only.
enum class Access { internal, open, user, admin };

/// A constraint on one field. Lengths are code points of a text or items of a list; bounds are values of a number.
struct Rule {
  enum class Kind { length, range, one_of, printable, items };
  std::string_view field;
  Kind kind;
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::string_view values;  // one_of: separated by '|'
};
constexpr Rule length(std::string_view field, std::int64_t min, std::int64_t max) { return {field, Rule::Kind::length, min, max, {}}; }
constexpr Rule range(std::string_view field, std::int64_t min, std::int64_t max) { return {field, Rule::Kind::range, min, max, {}}; }
constexpr Rule items(std::string_view field, std::int64_t min, std::int64_t max) { return {field, Rule::Kind::items, min, max, {}}; }
/// Printable ASCII, `min` to `max` characters.
constexpr Rule printable(std::string_view field, std::int64_t min, std::int64_t max) { return {field, Rule::Kind::printable, min, max, {}}; }
constexpr Rule one_of(std::string_view field, std::string_view values) { return {field, Rule::Kind::one_of, 0, 0, values}; }

/// Bytes that are JSON already: an event as it is stored. Never parsed on the way out.
struct RawJson {
  std::string text;
  RawJson() = default;
  explicit RawJson(std::string json) : text{std::move(json)} {}
  friend bool operator==(const RawJson&, const RawJson&) = default;
};

/// The answer of what has none: 204.
struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

/// A reply that is 201 when it was made now and 200 when it was there.
template <class T> struct Outcome {
  using Value = T;
  T value{};
  bool created = true;
};

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;
template <class R>
concept Request = Described<R> && requires {
  typename R::Reply;
  std::string_view(R::route);
};

template <class R> struct Slot {
  virtual ~Slot() = default;
  virtual Async<typename R::Reply> on(Context, R) = 0;
};

/// Called on the caller's shard, from all shards at once; answers there.
template <class... Rs> struct Port : Slot<Rs>... {
  using Slot<Rs>::on...;
  /// `co_await users.ask<GetUser>(context, id)`: safe in awaiting statements, where a braced request is not (g++ 12).
  template <class R, class... Fields> Async<typename R::Reply> ask(const Context& context, Fields&&... fields) {
    return static_cast<Slot<R>&>(*this).on(context, R{std::forward<Fields>(fields)...});
  }
};

}  // namespace loggia
