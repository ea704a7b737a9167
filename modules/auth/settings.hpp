#pragma once
// What auth's process and those without it read alike from the configuration.
#include <string>
#include "loggia/kernel/config.hpp"

namespace loggia::auth {

/// Who signs access tokens: `http.public_url`, which is the gateway's key, since a process may lack a gateway.
std::string issuer_of(const Config& config);

}  // namespace loggia::auth
