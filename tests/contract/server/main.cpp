// contract_server MODULE DIR: serves that module's contract on its fakes over HTTP with mTLS on a free port of loopback, as the inner listener of the
// product does: with DIR/MODULE.pem, and for those whom the callers' table lets. Prints the address and ends when its standard input does (or when
// nobody has asked anything for 20 s).
#include <unistd.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include "contract/houses/houses.hpp"
#include "loggia/kernel/rpc.hpp"

namespace {

using namespace loggia;

int serve(const std::string& module, const std::string& directory) {
  RpcTable table(contract::all_modules());
  const auto house = contract::open_house(module);
  const auto shards = house->shards();
  RpcListenerOptions options;
  options.tls = MutualTls::load({directory + '/' + module + ".pem", directory + '/' + module + ".key", directory + "/ca.pem"}).value();
  options.permits = [&table](const std::string& caller, std::string_view route) { return table.of(caller, route); };
  const auto listener = rpc_listener(std::move(options), shards, house->kernel().clock, house->kernel().metrics);
  const auto noting = table.noting(module, *listener);
  contract::mount_house(*house, *noting);
  if (!listener->start()) return 1;
  const auto line = listener->address() + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return 1;
  boost::asio::posix::stream_descriptor input(shards->executor(0), ::dup(STDIN_FILENO));
  bool ended = false;
  char byte = 0;
  input.async_read_some(boost::asio::buffer(&byte, 1), [&ended](const boost::system::error_code&, std::size_t) { ended = true; });
  shards->run_until([&ended] { return ended; });
  test::blocking(*shards, [&listener] { listener->stop(); });
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return count == 3 ? serve(arguments[1], arguments[2]) : 2;
  } catch (const std::exception& problem) {
    const std::string line = std::string("contract_server: ") + problem.what() + "\n";
    return ::write(STDERR_FILENO, line.data(), line.size()) < 0 ? 3 : 1;
  }
}
