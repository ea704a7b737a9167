#pragma once
// A few blocking HTTP/1.1 calls, to set the scene before the clock starts.
#include <nlohmann/json.hpp>
#include <string>

namespace bench {

struct Address {
  std::string host;
  int port;
};
Address parse_address(const std::string& text);
/// A connected TCP socket; exits with a message where nobody listens.
int connect_to(const Address& address);
/// Does not wait: writing works once the other side has taken it.
int connect_later(const Address& address);
/// The JSON of a 2xx answer; exits with the answer otherwise.
nlohmann::json call(const Address& address, const std::string& method, const std::string& path, const nlohmann::json& body, const std::string& token);
[[noreturn]] void give_up(const std::string& why);

}  // namespace bench
