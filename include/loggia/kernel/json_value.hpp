#pragma once
// nlohmann's json for the few files that look into values (RFC 8259) instead of having a struct encoded or decoded. It is instantiated once,
// in src/kernel/json/value.cpp: included without this, it costs each file three seconds more (docs/decisions/0008).
#include <nlohmann/json.hpp>

extern template class nlohmann::basic_json<>;
