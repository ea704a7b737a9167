#include "support/fakes.hpp"
#include <boost/asio/co_spawn.hpp>

namespace loggia::test {

void run_to_end(InlineShards& shards, boost::asio::awaitable<void> work) {
  bool done = false;
  std::exception_ptr thrown;
  boost::asio::co_spawn(shards.executor(0), std::move(work), [&](const std::exception_ptr& problem) {
    thrown = problem;
    done = true;
  });
  shards.run_until([&] { return done; });
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace loggia::test
