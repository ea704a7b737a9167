// The composition root: the explicit list of modules, in an order that satisfies their needs. A new module is one line here.
#include "cli/commands.hpp"
#include "loggia/auth/module.hpp"
#include "loggia/chat/module.hpp"
#include "loggia/gateway/module.hpp"
#include "loggia/notification/module.hpp"
#include "loggia/realtime/module.hpp"
#include "loggia/user/module.hpp"

int main(int count, char** words) {
  std::vector<loggia::ModuleDescriptor> modules{
      loggia::user::module(),         loggia::auth::module(),     loggia::chat::module(),
      loggia::notification::module(), loggia::realtime::module(), loggia::gateway::module(),
  };
  return loggia::cli::run(count, words, std::move(modules));
}
