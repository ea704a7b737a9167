#pragma once
// Both ends of a contract on the wire, made from the contract alone. For a module's wire*.cpp: each request costs two coroutines.
#include <concepts>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/router.hpp"

namespace loggia {

template <class T> inline constexpr bool is_outcome = false;
template <class T> inline constexpr bool is_outcome<Outcome<T>> = true;

/// Of a request or a reply: its body is bytes.
template <class T>
concept Streamed = requires(T& value) {
  { value.bytes } -> std::same_as<ByteStream&>;
};

/// Every {name} in the route is a member of the request; checked while compiling.
template <Described R> consteval bool sound_route() {
  const std::string_view route = R::route;
  for (auto open = route.find('{'); open != route.npos; open = route.find('{', open + 1)) {
    const auto name = route.substr(open + 1, route.find('}', open) - open - 1);
    bool known = false;
    boost::mp11::mp_for_each<Members<R>>([&](auto member) { known = known || name == wire_name(member.name); });
    if (!known) return false;
  }
  return true;
}
/// An Outcome is told by a status and a body, which bytes leave no place for.
template <class T> consteval bool sound_reply() {
  if constexpr (is_outcome<T>) return !Streamed<typename T::Value>;
  return true;
}
/// Whether `name` stands in braces in the route.
bool in_path(std::string_view route, std::string_view name);
/// GET and DELETE carry what is not in the path as query parameters.
constexpr bool in_query(std::string_view route) { return route.starts_with("GET ") || route.starts_with("DELETE "); }

template <Request R> constexpr int success_status() {
  if constexpr (requires { R::status; }) return R::status;
  else if constexpr (std::is_same_v<typename R::Reply, Nothing>) return 204;
  else return std::string_view(R::route).starts_with("POST ") ? 201 : 200;
}

/// Of a request that asks with a body: a DELETE may declare `body = true`.
template <Request R> constexpr bool has_body() {
  if constexpr (Streamed<R>) return false;
  else if constexpr (requires { R::body; }) return R::body;
  else return !in_query(R::route);
}

template <class R> inline constexpr Shape request_shape = shape_of<R>();

template <Request R> RouteInfo route_info() {
  static_assert(sound_route<R>(), "a {name} in the route is no member of the request");
  using Reply = typename R::Reply;
  static_assert(sound_reply<Reply>(), "an Outcome's value has no bytes: make them the Reply itself");
  RouteInfo info;
  info.route = R::route;
  if constexpr (requires { R::access; }) info.access = R::access;
  info.status = success_status<R>();
  info.may_exist = is_outcome<Reply>;
  if constexpr (requires { R::idempotent; }) info.idempotent = R::idempotent;
  if constexpr (requires { R::summary; }) info.summary = R::summary;
  if constexpr (requires { R::inner; }) info.inner = R::inner;
  info.has_body = has_body<R>();
  info.takes_bytes = Streamed<R>;
  info.gives_bytes = Streamed<Reply>;
  info.request = &request_shape<R>;
  if constexpr (is_outcome<Reply>) info.reply = codec_of<typename Reply::Value>();
  else if constexpr (!std::is_same_v<Reply, Nothing>) info.reply = codec_of<Reply>();
  return info;
}

/// Fills a request from a call: path and query parameters, else the body. What is wrong with it.
std::optional<Error> decode_call_into(const Call& call, std::string_view route, bool has_body, const Shape& shape, const Codec& codec, void* request);
template <class R> Result<R> decode_call(const Call& call) {
  R request{};
  if (auto wrong = decode_call_into(call, R::route, has_body<R>(), request_shape<R>, *codec_of<R>(), &request)) return std::move(*wrong);
  if constexpr (Streamed<R>) request.bytes = call.bytes;
  return request;
}

template <class T> std::string encode_reply(const T& reply) {
  if constexpr (std::is_same_v<T, Nothing>) return std::string();
  else if constexpr (is_outcome<T>) return encode(reply.value);
  else return encode(reply);
}
template <class R> Answer answer_of(const typename R::Reply& reply) {
  Answer answer;
  answer.status = success_status<R>();
  if constexpr (is_outcome<typename R::Reply>)
    if (!reply.created) answer.status = 200;
  answer.body = encode_reply(reply);
  if constexpr (Streamed<typename R::Reply>) answer.bytes = reply.bytes;
  return answer;
}

template <Request R> Async<Answer> serve(Slot<R>& slot, Context context, Call call) {
  auto request = decode_call<R>(call);
  if (!request) co_return request.error();
  auto reply = co_await slot.on(std::move(context), std::move(*request));
  if constexpr (Streamed<R>) call.bytes.close();
  if (!reply) co_return reply.error();
  co_return answer_of<R>(*reply);
}

template <class... Rs> void mount_port(Router& router, Port<Rs...>& port) {
  const auto one = [&]<class R>(std::type_identity<R>) {
    Slot<R>& slot = port;
    router.on(route_info<R>(), [&slot](Context context, Call call) { return serve<R>(slot, std::move(context), std::move(call)); });
  };
  (one(std::type_identity<Rs>()), ...);
}

Call call_of(std::string_view route, bool has_body, const Shape& shape, const void* request);
inline bool has_text(const std::string& text) { return !text.empty(); }
inline bool has_text(const std::optional<std::string>& text) { return text && !text->empty(); }
template <Request R> Call to_call(const R& request) {
  auto call = call_of(R::route, has_body<R>(), request_shape<R>, &request);
  if constexpr (requires { R::idempotent; }) call.keyed = R::idempotent;
  if constexpr (requires { R::once_by; }) call.repeatable = has_text(request.*R::once_by);
  if constexpr (Streamed<R>) call.bytes = request.bytes;
  call.wants_bytes = Streamed<typename R::Reply>;
  return call;
}

template <Request R> Result<typename R::Reply> reply_of(const Answer& answer) {
  using Reply = typename R::Reply;
  if constexpr (std::is_same_v<Reply, Nothing>) return Nothing();
  else if constexpr (is_outcome<Reply>) {
    auto value = decode_answer<typename Reply::Value>(answer.body);
    if (!value) return Error(Errc::internal, "a peer answered what its contract does not know");
    Reply reply;
    reply.value = std::move(*value);
    reply.created = answer.status == 201;
    return reply;
  } else {
    // A peer's mistake is not the caller's: never invalid_request.
    auto reply = decode_answer<Reply>(answer.body);
    if (!reply || (Streamed<Reply> && !answer.bytes)) return Error(Errc::internal, "a peer answered what its contract does not know");
    if constexpr (Streamed<Reply>) reply->bytes = answer.bytes;
    return reply;
  }
}

template <class P, class... Rs> struct Proxy : P {
  explicit Proxy(Transport& transport) : transport_{transport} {}
  Transport& transport_;
};
template <class P, class R, class... Rest> struct Proxy<P, R, Rest...> : Proxy<P, Rest...> {
  using Proxy<P, Rest...>::Proxy;
  using Proxy<P, Rest...>::on;
  Async<typename R::Reply> on(Context context, R request) override {
    auto call = to_call(request);
    auto answer = co_await this->transport_.send(std::move(context), std::move(call));
    if (!answer) co_return answer.error();
    co_return reply_of<R>(*answer);
  }
};
/// The proxy of a port whose service is elsewhere.
template <class... Rs> std::shared_ptr<Port<Rs...>> connect_port(Transport& transport, std::type_identity<Port<Rs...>>) {
  return std::make_shared<Proxy<Port<Rs...>, Rs...>>(transport);
}

}  // namespace loggia
