#include "loggia/kernel/metrics.hpp"
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <stdexcept>

namespace loggia {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') out += "\\\\";
    else if (c == '"') out += "\\\"";
    else if (c == '\n') out += "\\n";
    else out += c;
  }
  return out;
}

/// `{a="b",le="1"}`, or nothing.
std::string written(const Labels& labels, std::string_view more = std::string_view()) {
  std::string out;
  for (const auto& [name, value] : labels) out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped(value));
  if (!more.empty()) (out += out.empty() ? "" : ",") += more;
  return out.empty() ? out : "{" + out + "}";
}

struct Family {
  std::string help, type;
  std::map<std::string, std::unique_ptr<Counter>> counters;
  std::map<std::string, std::unique_ptr<Gauge>> gauges;
  std::map<std::string, std::pair<Labels, std::unique_ptr<Histogram>>> histograms;
  std::map<std::string, std::function<double()>> observed;
};

}  // namespace

struct Metrics::State {
  mutable std::mutex mutex;
  std::map<std::string, Family> families;

  Family& family(std::string& name, std::string& help, const char* type) {
    auto& found = families[name];
    if (found.type.empty()) {
      found.type = type;
      found.help = std::move(help);
    } else if (found.type != type) {
      throw std::logic_error("metric " + name + " is a " + found.type + " already");
    }
    return found;
  }
};

Metrics::Metrics() : state_{std::make_unique<State>()} {}
Metrics::~Metrics() = default;

void Histogram::observe(double seconds) {
  std::size_t at = 0;
  while (at < std::size(bounds) && seconds > bounds[at]) ++at;
  buckets_[at].fetch_add(1, std::memory_order_relaxed);
  micros_.fetch_add(static_cast<std::uint64_t>(seconds * 1e6), std::memory_order_relaxed);
}

Counter& Metrics::counter(std::string name, std::string help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  auto& slot = state_->family(name, help, "counter").counters[written(labels)];
  if (!slot) slot = std::make_unique<Counter>();
  return *slot;
}

Gauge& Metrics::gauge(std::string name, std::string help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  auto& slot = state_->family(name, help, "gauge").gauges[written(labels)];
  if (!slot) slot = std::make_unique<Gauge>();
  return *slot;
}

Histogram& Metrics::histogram(std::string name, std::string help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  auto& slot = state_->family(name, help, "histogram").histograms[written(labels)];
  if (!slot.second) slot = {std::move(labels), std::make_unique<Histogram>()};
  return *slot.second;
}

void Metrics::observed(std::string name, std::string help, Labels labels, std::function<double()> read) {
  const std::lock_guard lock(state_->mutex);
  state_->family(name, help, "gauge").observed[written(labels)] = std::move(read);
}

std::string Metrics::text() const {
  std::string out;
  const auto to = std::back_inserter(out);
  const std::lock_guard lock(state_->mutex);
  for (const auto& [name, family] : state_->families) {
    fmt::format_to(to, "# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    for (const auto& [labels, counter] : family.counters) fmt::format_to(to, "{}{} {}\n", name, labels, counter->value());
    for (const auto& [labels, gauge] : family.gauges) fmt::format_to(to, "{}{} {}\n", name, labels, gauge->value());
    for (const auto& [labels, read] : family.observed) fmt::format_to(to, "{}{} {:.17g}\n", name, labels, read());
    for (const auto& [key, entry] : family.histograms) {
      const auto& [labels, histogram] = entry;
      std::uint64_t count = 0;
      for (std::size_t at = 0; at < std::size(Histogram::bounds); ++at) {
        count += histogram->buckets_[at].load(std::memory_order_relaxed);
        fmt::format_to(to, "{}_bucket{} {}\n", name, written(labels, fmt::format("le=\"{}\"", Histogram::bounds[at])), count);
      }
      count += histogram->buckets_[std::size(Histogram::bounds)].load(std::memory_order_relaxed);
      fmt::format_to(to, "{}_bucket{} {}\n", name, written(labels, "le=\"+Inf\""), count);
      fmt::format_to(to, "{}_sum{} {:.6f}\n{}_count{} {}\n", name, key, static_cast<double>(histogram->micros_.load(std::memory_order_relaxed)) / 1e6, name, key, count);
    }
  }
  return out;
}

}  // namespace loggia
