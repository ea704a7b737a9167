#pragma once
// What OpenAPI 3.1 needs to know of a route, and the document made of all routes.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include "loggia/kernel/router.hpp"

namespace loggia {

struct RouteInfo::Description {
  struct Field {
    std::string name;
    nlohmann::json schema;
    bool required;
  };
  std::vector<Field> path, query, body;
  nlohmann::json reply;  // null: no content
};

}  // namespace loggia
