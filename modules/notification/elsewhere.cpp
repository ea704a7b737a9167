#include "elsewhere.hpp"
#include "store.hpp"

namespace loggia::notification {

/// By the writer, which puts what is chosen here into memory too: the later of both stays.
Async<bool> read_again(std::shared_ptr<Parts> parts, Context context, UserId user) {
  auto work = [parts, user](Transaction& transaction) -> Result<bool> {
    auto found = store::settings_between(transaction, user, user);
    std::shared_ptr<const Chosen> chosen = found.empty() ? nullptr : std::move(found.front().second);
    transaction.on_commit([parts, user, chosen] { parts->choices.put(user, chosen); });
    return true;
  };
  auto done = co_await parts->database->write(context, std::move(work));
  co_return done;
}

/// Too much for the writer, who has others to write for.
Async<bool> read_all_again(std::shared_ptr<Parts> parts, Context context) {
  parts->choices.begin_reading();
  auto work = [](Query& query) -> Result<store::SettingsOf> { return store::all_settings(query); };
  auto found = co_await parts->database->read(context, std::move(work));
  if (!found) co_return found.error();
  Choices::All all;
  for (auto& [user, chosen] : *found) all.emplace(user, std::move(chosen));
  parts->choices.replace(std::move(all));
  co_return true;
}

}  // namespace loggia::notification
