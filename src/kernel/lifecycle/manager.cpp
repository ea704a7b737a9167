#include "lifecycle/manager.hpp"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace {

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value ? value : "";
}

std::int64_t number_of(const std::string& text) {
  std::int64_t out = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc() && end == text.data() + text.size() ? out : 0;
}

}  // namespace

/// Safe from every thread: a datagram is whole, and nothing is waited for.
class ServiceManager::Socket {
 public:
  explicit Socket(const std::string& name) : size_{static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())} {
    place_.sun_family = AF_UNIX;
    if ((name.front() != '/' && name.front() != '@') || name.size() >= sizeof place_.sun_path) {
      log::warn("manager.unusable", Field("socket", name), Field("why", "it is neither a path nor @NAME, or too long"));
      return;
    }
    std::memcpy(place_.sun_path, name.data(), name.size());
    if (name.front() == '@') place_.sun_path[0] = '\0';
    file_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  ~Socket() {
    if (file_ >= 0) ::close(file_);
  }
  Socket(const Socket&) = delete;

  void say(const std::string& what) const {
    if (file_ < 0) return;
    const auto* place = reinterpret_cast<const sockaddr*>(&place_);
    if (::sendto(file_, what.data(), what.size(), MSG_NOSIGNAL, place, size_) < 0)
      log::warn("manager.not_told", Field("what", what.substr(0, what.find('\n'))), Field("why", std::strerror(errno)));
  }

 private:
  sockaddr_un place_{};
  socklen_t size_;
  int file_ = -1;
};

/// A timer on the first shard, then from shard to shard, and back on the first one.
class ServiceManager::Watchdog : public std::enable_shared_from_this<Watchdog> {
 public:
  Watchdog(std::shared_ptr<Socket> socket, Shards& shards, milliseconds every) : socket_{std::move(socket)}, shards_{shards}, every_{every} {}

  /// On the first shard.
  void wait() {
    timer_ = shards_.after(0, every_, [weak = weak_from_this()] {
      if (const auto here = weak.lock()) here->ask(here->shards_.size());
    });
  }

 private:
  /// `left` shards have yet to answer; the first one is the last.
  void ask(std::size_t left) {
    shards_.post(left - 1, [weak = weak_from_this(), left] {
      const auto here = weak.lock();
      if (!here) return;
      if (left > 1) return here->ask(left - 1);
      here->socket_->say("WATCHDOG=1");
      here->wait();
    });
  }

  const std::shared_ptr<Socket> socket_;
  Shards& shards_;
  const milliseconds every_;
  Shards::Timer timer_;
};

ServiceManager::Asked ServiceManager::asked() { return {variable("NOTIFY_SOCKET"), variable("WATCHDOG_USEC"), variable("WATCHDOG_PID")}; }

ServiceManager::ServiceManager(Asked asked, std::shared_ptr<Shards> shards) : shards_{std::move(shards)} {
  if (asked.socket.empty()) return;
  socket_ = std::make_shared<Socket>(asked.socket);
  const bool ours = asked.watchdog_pid.empty() || number_of(asked.watchdog_pid) == ::getpid();
  const auto within = number_of(asked.watchdog_usec);
  if (ours && within > 0) sign_every_ = std::max(milliseconds(1), milliseconds(within / 2000));
}

/// A timer ends on its shard, or with the shards.
ServiceManager::~ServiceManager() {
  if (watchdog_) shards_->post(0, [watchdog = std::move(watchdog_)]() mutable { watchdog = nullptr; });
}

void ServiceManager::ready(const std::string& status) {
  if (!socket_) return;
  socket_->say("READY=1\nSTATUS=" + status);
  if (watchdog_ || sign_every_ == milliseconds(0)) return;
  watchdog_ = std::make_shared<Watchdog>(socket_, *shards_, sign_every_);
  shards_->post(0, [watchdog = watchdog_] { watchdog->wait(); });
}

void ServiceManager::reloading(Moment now) {
  if (!socket_) return;
  const auto usec = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  socket_->say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec));
}

void ServiceManager::stopping() {
  if (socket_) socket_->say("STOPPING=1");
}

}  // namespace loggia
