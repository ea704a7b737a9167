#pragma once
// The sample people, rooms and messages: src/demo/demo.json, compiled in.
#include <string_view>

namespace loggia::demo {
std::string_view sample();
}  // namespace loggia::demo
