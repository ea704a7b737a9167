#include "lifecycle/supervisor/ports.hpp"
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include "http/listener.hpp"

namespace loggia {
namespace {

constexpr int lowest = 10'000, highest = 65'535;
constexpr int attempts = 500;

/// Bound, or -1.
int bound_to(const boost::asio::ip::tcp::endpoint& address) {
  const int file = ::socket(address.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file < 0) return -1;
  // Without SO_REUSEADDR while it is asked for, so that what another set keeps is taken; with it afterwards, so that who sets it too can listen.
  const int on = 1;
  if (::bind(file, address.data(), static_cast<socklen_t>(address.size())) == 0 && ::setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0)
    return file;
  const int why = errno;
  ::close(file);
  errno = why;
  return -1;
}

class Reserved final : public FreePorts {
 public:
  explicit Reserved(std::shared_ptr<Random> random) : random_{std::move(random)} {
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_given_ >> last_given_;
  }
  ~Reserved() override {
    for (const int file : files_) ::close(file);
  }

  Result<std::string> take(const std::string& host) override {
    const auto place = http::parse_listen(host + ":0");
    if (!place) return place.error();
    for (int attempt = 0; attempt < attempts; ++attempt) {
      const int port = lowest + static_cast<int>(random_->below(highest - lowest + 1));
      // Where nearly all are given to connections, one of those is better than none.
      if (attempt < attempts / 2 && port >= first_given_ && port <= last_given_) continue;
      const int file = bound_to({place->address(), static_cast<std::uint16_t>(port)});
      if (file < 0 && errno != EADDRINUSE) break;
      if (file < 0) continue;
      files_.push_back(file);
      return host + ':' + std::to_string(port);
    }
    return Error(Errc::internal, "cannot find a free port on " + host + ": " + std::strerror(errno));
  }

 private:
  std::shared_ptr<Random> random_;
  int first_given_ = 32'768, last_given_ = 60'999;
  std::vector<int> files_;
};

}  // namespace

ListenAddress split_address(const std::string& text) {
  ListenAddress out;
  const auto colon = text.rfind(':');
  if (colon == text.npos) return out;
  out.host = text.substr(0, colon);
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), out.port);
  return out;
}

std::shared_ptr<FreePorts> free_ports(std::shared_ptr<Random> random) { return std::make_shared<Reserved>(std::move(random)); }

}  // namespace loggia
