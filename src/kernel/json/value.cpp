#include "loggia/kernel/json_value.hpp"

template class nlohmann::basic_json<>;
