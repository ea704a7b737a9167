#pragma once
// What a username, a password, an address and a set of roles are (contract, section 2: "auth"). Pure functions; any thread.
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/error.hpp"

namespace loggia::auth {

/// What is wrong with it, in words for its owner; nothing where it is fine.
std::optional<std::string> wrong_username(std::string_view username);
std::optional<std::string> wrong_password(std::string_view password);
std::optional<std::string> wrong_email(std::string_view email);
std::optional<std::string> wrong_roles(const std::vector<std::string>& roles);

/// Usernames and addresses are compared without regard to case.
std::string lower_ascii(std::string_view text);

/// `admin,member` in the order of rank, each once.
std::string join_roles(const std::vector<std::string>& roles);
std::vector<std::string> split_roles(std::string_view joined);
/// Whether somebody with the roles `before` has one that is not in `after`.
bool loses_role(const std::vector<std::string>& before, const std::vector<std::string>& after);

/// All that is wrong as one error: 422.
class Wrongs {
 public:
  void check(std::string_view pointer, std::optional<std::string> detail);
  bool any() const { return !fields_.empty(); }
  Error error() const;

 private:
  std::vector<FieldError> fields_;
};

}  // namespace loggia::auth
