#pragma once
// Both ends of a contract on the wire, made from the contract alone. Included by a module's wire.cpp only: it is slow to compile.
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/openapi.hpp"
#include "loggia/kernel/router.hpp"

namespace loggia {

template <class T> inline constexpr bool is_outcome = false;
template <class T> inline constexpr bool is_outcome<Outcome<T>> = true;

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
constexpr bool in_path(std::string_view route, std::string_view name) {
  const auto at = route.find(name);
  for (auto found = at; found != route.npos; found = route.find(name, found + 1))
    if (found > 0 && route[found - 1] == '{' && found + name.size() < route.size() && route[found + name.size()] == '}') return true;
  return false;
}
/// GET and DELETE carry what is not in the path as query parameters.
constexpr bool in_query(std::string_view route) { return route.starts_with("GET ") || route.starts_with("DELETE "); }

template <Request R> constexpr int success_status() {
  if constexpr (requires { R::status; }) return R::status;
  else if constexpr (std::is_same_v<typename R::Reply, Nothing>) return 204;
  else return std::string_view(R::route).starts_with("POST ") ? 201 : 200;
}

template <Request R> RouteInfo route_info() {
  static_assert(sound_route<R>(), "a {name} in the route is no member of the request");
  RouteInfo info;
  info.route = R::route;
  if constexpr (requires { R::access; }) info.access = R::access;
  info.status = success_status<R>();
  info.may_exist = is_outcome<typename R::Reply>;
  if constexpr (requires { R::idempotent; }) info.idempotent = R::idempotent;
  if constexpr (requires { R::summary; }) info.summary = R::summary;
  return info;
}

/// Of a request that asks with a body: a DELETE may declare `body = true`.
template <Request R> constexpr bool has_body() {
  if constexpr (requires { R::body; }) return R::body;
  else return !in_query(R::route);
}

template <class R> Result<R> decode_call(const Call& call) {
  json fields = json::object();
  if constexpr (has_body<R>()) {
    if (!call.body.empty()) {
      auto parsed = parse_untrusted(call.body);
      if (!parsed) return parsed.error();
      if (!parsed->is_object()) return Error(Errc::invalid_request, "the body is a JSON object");
      fields = std::move(*parsed);
    }
  } else if (call.strict && !call.body.empty()) return Error(Errc::invalid_request, "this request takes no body");
  const auto put = [&](const std::string& name, const std::string& text, bool path) {
    bool known = false;
    boost::mp11::mp_for_each<Members<R>>([&](auto member) {
      if (name != wire_name(member.name) || in_path(R::route, name) != path) return;
      known = true;
      fields[name] = from_parameter<std::decay_t<decltype(std::declval<R>().*member.pointer)>>(text);
    });
    return known;
  };
  if constexpr (has_body<R>()) {
    for (const auto& [name, text] : call.path)
      if (fields.contains(name)) return wrong_field(pointer_to("", name), "is not known here: it is in the path");
  }
  for (const auto& [name, text] : call.query)
    if ((has_body<R>() || !put(name, text, false)) && call.strict) return wrong_field(pointer_to("", name), "is no parameter of this request");
  for (const auto& [name, text] : call.path) put(name, text, true);
  auto request = decode<R>(fields, call.strict ? Manner::strict : Manner::lenient);
  if (request || !call.strict) return request;
  // A path that names nothing is not a mistake in the request's content: there is no such thing.
  for (const auto& field : request.error().fields)
    if (in_path(R::route, std::string_view(field.pointer).substr(1))) return Error(Errc::not_found, "there is nothing at this address");
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
  return answer;
}

template <Request R> Async<Answer> serve(Slot<R>& slot, Context context, Call call) {
  auto request = decode_call<R>(call);
  if (!request) co_return request.error();
  auto reply = co_await slot.on(std::move(context), std::move(*request));
  if (!reply) co_return reply.error();
  co_return answer_of<R>(*reply);
}

template <Request R> void describe_request(RouteInfo::Description& out) {
  boost::mp11::mp_for_each<Members<R>>([&](auto member) {
    using Field = std::decay_t<decltype(std::declval<R>().*member.pointer)>;
    auto schema = schema_of<Field>();
    for (const auto& rule : rules_of<R>())
      if (rule.field == wire_name(member.name)) apply_rule(schema, rule);
    bool required = !is_optional<Field>;
    if constexpr (requires { R::defaults; })
      for (const std::string_view name : R::defaults) required = required && name != wire_name(member.name);
    if (in_path(R::route, wire_name(member.name))) out.path.push_back({std::string(wire_name(member.name)), std::move(schema), true});
    else if (!has_body<R>()) out.query.push_back({std::string(wire_name(member.name)), std::move(schema), required});
    else out.body.push_back({std::string(wire_name(member.name)), std::move(schema), required});
  });
  if constexpr (is_outcome<typename R::Reply>) out.reply = schema_of<typename R::Reply::Value>();
  else if constexpr (!std::is_same_v<typename R::Reply, Nothing>) out.reply = schema_of<typename R::Reply>();
}

template <class... Rs> void mount_port(Router& router, Port<Rs...>& port) {
  const auto one = [&]<class R>(std::type_identity<R>) {
    auto info = route_info<R>();
    info.describe = &describe_request<R>;
    Slot<R>& slot = port;
    router.on(std::move(info), [&slot](Context context, Call call) { return serve<R>(slot, std::move(context), std::move(call)); });
  };
  (one(std::type_identity<Rs>()), ...);
}

template <Request R> Call to_call(const R& request) {
  Call call;
  call.route = R::route;
  std::string body;
  boost::mp11::mp_for_each<Members<R>>([&](auto member) {
    const auto& field = request.*member.pointer;
    using Field = std::decay_t<decltype(field)>;
    if constexpr (is_optional<Field>)
      if (!field) return;
    const bool path = in_path(R::route, wire_name(member.name));
    auto text = encode(field);
    if (path || !has_body<R>()) {
      if (text.starts_with('"')) text = json::parse(text).template get<std::string>();
      (path ? call.path : call.query).emplace_back(wire_name(member.name), std::move(text));
    } else {
      body += body.empty() ? '{' : ',';
      (((body += '"') += wire_name(member.name)) += "\":") += text;
    }
  });
  if (has_body<R>()) call.body = body.empty() ? "{}" : body + '}';
  return call;
}
template <Request R> Result<typename R::Reply> reply_of(const Answer& answer) {
  using Reply = typename R::Reply;
  if constexpr (std::is_same_v<Reply, Nothing>) return Nothing();
  else if constexpr (is_outcome<Reply>) {
    auto value = decode_text<typename Reply::Value>(answer.body, Manner::lenient);
    if (!value) return Error(Errc::internal, "a peer answered what its contract does not know");
    Reply reply;
    reply.value = std::move(*value);
    reply.created = answer.status == 201;
    return reply;
  } else {
    // A peer's mistake is not the caller's: never invalid_request.
    auto reply = decode_text<Reply>(answer.body, Manner::lenient);
    if (!reply) return Error(Errc::internal, "a peer answered what its contract does not know");
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
