#pragma once
// What counts against which limit: classes of routes, and whom each is counted by. Pure; any thread.
#include "rate_limit.hpp"

namespace loggia::gateway {

/// Every request of one address, before anything else is looked at; a house with one address has many people.
inline constexpr Policy address_policy{"address", 1000, std::chrono::seconds(5)};
/// Guesses: of one login from one address, and of all logins from one address.
inline constexpr Policy login_policy{"login", 10, std::chrono::seconds(60)};
inline constexpr Policy sign_in_policy{"sign-in", 60, std::chrono::seconds(60)};
inline constexpr Policy register_policy{"register", 30, std::chrono::seconds(60)};
inline constexpr Policy validate_policy{"validate", 120, std::chrono::seconds(60)};
inline constexpr Policy session_policy{"session", 120, std::chrono::seconds(60)};
inline constexpr Policy read_policy{"read", 300, std::chrono::seconds(10)};
inline constexpr Policy write_policy{"write", 150, std::chrono::seconds(10)};

/// The class of a route as it is declared ("POST /auth/login").
const Policy& policy_of(std::string_view route);

}  // namespace loggia::gateway
