#pragma once
// `loggia user …`: beside a running server through its control socket, else on the storage itself. Whoever may write the data directory
// may do this, so there is no caller; the audit log names the shell. What a command ends, ends live.
#include <map>
#include <memory>
#include <string>
#include "loggia/kernel/module.hpp"
#include "parts.hpp"

namespace loggia::auth {

/// user.list · user.add NAME PASSWORD ROLES EMAIL · user.password NAME PASSWORD · user.role NAME ROLES · user.disable NAME · user.enable NAME.
/// An empty PASSWORD is made and answered; ROLES are separated by commas.
void add_commands(std::map<std::string, Command>& commands, std::shared_ptr<Parts> parts);

}  // namespace loggia::auth
