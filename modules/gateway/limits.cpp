#include "limits.hpp"

namespace loggia::gateway {

const Policy& policy_of(std::string_view route) {
  if (route == "POST /auth/login" || route == "PUT /auth/password" || route.starts_with("POST /auth/password/") ||
      route.starts_with("POST /auth/totp"))
    return sign_in_policy;
  if (route == "POST /auth/register") return register_policy;
  if (route == "PUT /auth/account" || route == "POST /auth/email/verify") return sign_in_policy;
  if (route == "POST /auth/validate") return validate_policy;
  if (route == "POST /auth/refresh" || route == "POST /auth/logout") return session_policy;
  return route.starts_with("GET ") ? read_policy : write_policy;
}

}  // namespace loggia::gateway
