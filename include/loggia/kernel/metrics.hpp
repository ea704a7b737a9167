#pragma once
// Numbers about the process in the Prometheus text format (exposition format 0.0.4). Names end in a unit or `_total`.
// Registering takes a lock, counting does not: keep the reference. Safe from every thread.
#include <atomic>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loggia {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};
/// Of durations in seconds; buckets from 0.5 ms to 10 s.
class Histogram {
 public:
  static constexpr double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  void observe(double seconds);

 private:
  friend class Metrics;
  std::atomic<std::uint64_t> buckets_[std::size(bounds) + 1]{};
  std::atomic<std::uint64_t> micros_{0};
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  /// The same name and labels give the same object. The references live as long as this.
  Counter& counter(std::string name, std::string help, Labels labels);
  Gauge& gauge(std::string name, std::string help, Labels labels);
  Histogram& histogram(std::string name, std::string help, Labels labels);
  /// Asked at each scrape, on the scraping thread. What it captures must outlive this, or be weak.
  void observed(std::string name, std::string help, Labels labels, std::function<double()> read);
  /// All of it, families in the order of their names.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace loggia
