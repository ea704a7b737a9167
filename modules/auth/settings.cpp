#include "settings.hpp"
#include <algorithm>

namespace loggia::auth {

std::string issuer_of(const Config& config) {
  const auto& keys = config.keys();
  const bool known = std::any_of(keys.begin(), keys.end(), [](const ConfigKey& key) { return key.name == "http.public_url"; });
  const auto url = known ? config.text("http.public_url") : std::string();
  return url.empty() ? std::string("loggia") : url;
}

}  // namespace loggia::auth
