#include "guests.hpp"
#include <algorithm>

namespace loggia::gateway {

Async<Context> as_guest(std::shared_ptr<chat::Live> live, Context context, std::string_view route, std::string path) {
  if (route != "GET /users/{id}") co_return context;
  const auto wanted = UserId::parse(std::string_view(path).substr(path.rfind('/') + 1));
  const UserId guest(context.caller().subject);
  if (!wanted || *wanted == guest) co_return context;
  auto audience = co_await live->ask<chat::GetAudience>(context, guest);
  if (!audience) co_return audience.error();
  const auto& shared = audience->ids;
  if (std::find(shared.begin(), shared.end(), *wanted) == shared.end()) co_return context;
  Caller caller = context.caller();
  std::replace(caller.roles.begin(), caller.roles.end(), std::string("guest"), std::string("member"));
  co_return context.as(std::move(caller));
}

}  // namespace loggia::gateway
