#pragma once
// Who wants to hear of something until they drop their handle.
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace loggia {

/// Safe from every thread. Handlers are called on the teller's, none while a lock is held.
template <class... What> class Watchers {
 public:
  using Handler = std::function<void(What...)>;
  /// Heard until the handle is dropped.
  std::shared_ptr<void> add(Handler handler) {
    auto kept = std::make_shared<Handler>(std::move(handler));
    const std::lock_guard lock(mutex_);
    std::erase_if(all_, [](const auto& one) { return one.expired(); });
    all_.push_back(kept);
    return kept;
  }
  void tell(const What&... what) const {
    std::vector<std::shared_ptr<Handler>> here;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& one : all_)
        if (auto alive = one.lock()) here.push_back(std::move(alive));
    }
    for (const auto& one : here) (*one)(what...);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Handler>> all_;
};

}  // namespace loggia
