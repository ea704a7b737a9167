#pragma once
// What of the gateway's configuration no kind of key shows. Pure but for a look at the certificate's files; any thread.
#include <vector>
#include "loggia/kernel/config.hpp"

namespace loggia::gateway {

/// Every mistake, each under its key.
std::vector<FieldError> mistakes(const Config& config);

}  // namespace loggia::gateway
