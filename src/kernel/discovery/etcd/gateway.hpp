#pragma once
// Requests to etcd's JSON gateway over libcurl: short ones with a limit, and a watch that goes on. Each of one thread, but stop().
#include <atomic>
#include <functional>
#include <memory>
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia::discovery::etcd {

/// Several nodes of one cluster; who fails gives way to the next.
class Endpoints {
 public:
  explicit Endpoints(std::vector<std::string> urls) : urls_{std::move(urls)} {}
  const std::string& current() const { return urls_[at_]; }
  void next() { at_ = (at_ + 1) % urls_.size(); }
  std::size_t size() const { return urls_.size(); }

 private:
  const std::vector<std::string> urls_;
  std::size_t at_ = 0;
};

class Gateway {
 public:
  virtual ~Gateway() = default;
  /// The body of a 2xx. Errors: not_found (a lease that is gone), invalid_request (any other 4xx: a person has to mend it), unavailable.
  virtual Result<std::string> post(const std::string& endpoint, const std::string& path, const std::string& body, milliseconds limit) = 0;
  /// Tells `line` each line until the stream ends, `line` says false, or stop(). Between lines `idle` is asked, within `every`, whether to go on.
  virtual Result<bool> watch(const std::string& endpoint, const std::string& body, const std::function<bool(std::string_view)>& line,
                             milliseconds every, const std::function<bool()>& idle) = 0;
  /// What is under way ends, and what comes is refused. From any thread.
  virtual void stop() = 0;
};
std::unique_ptr<Gateway> make_gateway();
bool can_reach_etcd();

}  // namespace loggia::discovery::etcd
