#pragma once
// What OpenAPI 3.1 needs to know of a route, and the descriptions made of all routes and topics. Pure functions, any thread.
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/router.hpp"
#include "loggia/kernel/socket_protocol.hpp"

namespace loggia {

/// A route's request, sorted by where its members travel, with the schemas that its contract declares.
struct RouteDescription {
  struct Field {
    std::string name;
    nlohmann::json schema;
    bool required;
  };
  std::vector<Field> path, query, body;
  nlohmann::json reply;  // null: no content
};
RouteDescription describe(const RouteInfo& info);

/// OpenAPI 3.1 of every route that can be reached from outside; those of Access::internal are left out.
nlohmann::json openapi_document(const std::vector<RouteInfo>& routes, std::string_view version);

/// AsyncAPI 3.0 of the topics: a channel each, a message for each type, in a CloudEvents envelope. A topic of several producers may
/// stand there several times. And of the protocols: a channel each, an operation for each request, one for all that is pushed.
nlohmann::json asyncapi_document(const std::vector<Topic>& topics, const std::vector<SocketProtocol>& protocols, std::string_view version);

/// The same document as YAML 1.2 in block style.
std::string to_yaml(const nlohmann::json& document);

}  // namespace loggia
