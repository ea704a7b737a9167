#pragma once
// A queue of a connection: first in, first out, and no memory at all while it is empty (a deque keeps half a KiB). On one shard.
#include <cstddef>
#include <utility>
#include <vector>

namespace loggia::realtime {

template <class T> class Line {
 public:
  bool empty() const { return head_ == items_.size(); }
  std::size_t size() const { return items_.size() - head_; }
  T& front() { return items_[head_]; }
  const T& at(std::size_t place) const { return items_[head_ + place]; }
  void push(T item) { items_.push_back(std::move(item)); }
  T take() {
    T out = std::move(items_[head_++]);
    if (empty()) clear();
    else if (head_ >= 64 && head_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    return out;
  }
  void clear() {
    std::vector<T>().swap(items_);
    head_ = 0;
  }
  /// Takes out every item for which `lost` is true, in order.
  template <class F> void remove_if(F lost) {
    std::vector<T> kept;
    for (auto at = head_; at < items_.size(); ++at)
      if (!lost(items_[at])) kept.push_back(std::move(items_[at]));
    items_ = std::move(kept);
    head_ = 0;
  }

 private:
  std::vector<T> items_;
  std::size_t head_ = 0;
};

}  // namespace loggia::realtime
