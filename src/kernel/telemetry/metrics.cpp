#include "loggia/kernel/metrics.hpp"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <mutex>
#include <stdexcept>

namespace loggia {
namespace {

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char digits[400];
  return std::string(digits, std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr);
}

std::string escaped(std::string_view text, bool quoted) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') out += "\\\\";
    else if (c == '\n') out += "\\n";
    else if (c == '"' && quoted) out += "\\\"";
    else out += c;
  }
  return out;
}

/// `a="1",b="2"`, sorted, so that the order in which labels are given makes no second series.
std::string rendered(Labels labels) {
  std::sort(labels.begin(), labels.end());
  std::string out;
  for (const auto& [name, value] : labels) ((((out += out.empty() ? "" : ",") += name) += "=\"") += escaped(value, true)) += '"';
  return out;
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out += name;
  if (!labels.empty()) ((out += '{') += labels) += '}';
  ((out += ' ') += value) += '\n';
}

}  // namespace

void Histogram::observe(double seconds) {
  const auto found = std::lower_bound(std::begin(bounds), std::end(bounds), seconds);
  buckets_[static_cast<std::size_t>(found - std::begin(bounds))].fetch_add(1, std::memory_order_relaxed);
  micros_.fetch_add(static_cast<std::uint64_t>(std::max(seconds, 0.0) * 1e6), std::memory_order_relaxed);
}

struct Metrics::State {
  enum class Type { counter, gauge, histogram };
  struct Series {
    Counter counter;
    Gauge gauge;
    Histogram histogram;
    std::function<double()> read;
  };
  struct Family {
    std::string help;
    Type type = Type::gauge;
    std::map<std::string, std::shared_ptr<Series>> series;  // by rendered labels
  };
  mutable std::mutex mutex;
  std::map<std::string, Family> families;

  static std::string_view word(Type type) {
    switch (type) {
      case Type::counter:
        return "counter";
      case Type::gauge:
        return "gauge";
      case Type::histogram:
        return "histogram";
    }
    return "untyped";
  }

  Series& series(std::string name, std::string help, Labels labels, Type type, std::function<double()> read) {
    const std::lock_guard lock(mutex);
    auto [found, added] = families.try_emplace(std::move(name));
    auto& family = found->second;
    if (added) {
      family.help = std::move(help);
      family.type = type;
    } else if (family.type != type) {
      throw std::logic_error("metric " + found->first + " is a " + std::string(word(family.type)) + " and a " + std::string(word(type)));
    }
    auto& series = family.series[rendered(std::move(labels))];
    // What is observed anew replaces the series, since a scrape may be reading the old one.
    if (!series || read) series = std::make_shared<Series>();
    if (read) series->read = std::move(read);
    return *series;
  }
};

Metrics::Metrics() : state_{std::make_unique<State>()} {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string name, std::string help, Labels labels) {
  return state_->series(std::move(name), std::move(help), std::move(labels), State::Type::counter, nullptr).counter;
}

Gauge& Metrics::gauge(std::string name, std::string help, Labels labels) {
  return state_->series(std::move(name), std::move(help), std::move(labels), State::Type::gauge, nullptr).gauge;
}

Histogram& Metrics::histogram(std::string name, std::string help, Labels labels) {
  return state_->series(std::move(name), std::move(help), std::move(labels), State::Type::histogram, nullptr).histogram;
}

void Metrics::observed(std::string name, std::string help, Labels labels, std::function<double()> read) {
  const auto type = name.ends_with("_total") ? State::Type::counter : State::Type::gauge;
  state_->series(std::move(name), std::move(help), std::move(labels), type, std::move(read));
}

std::string Metrics::text() const {
  // A copy, so that what is asked below may itself register or take its time.
  std::map<std::string, State::Family> families;
  {
    const std::lock_guard lock(state_->mutex);
    families = state_->families;
  }
  std::string out;
  for (const auto& [name, family] : families) {
    ((((out += "# HELP ") += name) += ' ') += escaped(family.help, false)) += '\n';
    ((((out += "# TYPE ") += name) += ' ') += State::word(family.type)) += '\n';
    for (const auto& [labels, series] : family.series) {
      if (series->read) append_sample(out, name, labels, number(series->read()));
      else if (family.type == State::Type::counter) append_sample(out, name, labels, std::to_string(series->counter.value()));
      else if (family.type == State::Type::gauge) append_sample(out, name, labels, std::to_string(series->gauge.value()));
      else {
        const auto& histogram = series->histogram;
        const std::string before = labels.empty() ? "le=\"" : labels + ",le=\"";
        std::uint64_t count = 0;
        for (std::size_t at = 0; at < std::size(Histogram::bounds); ++at) {
          count += histogram.buckets_[at].load(std::memory_order_relaxed);
          append_sample(out, name + "_bucket", before + number(Histogram::bounds[at]) + '"', std::to_string(count));
        }
        count += histogram.buckets_[std::size(Histogram::bounds)].load(std::memory_order_relaxed);
        append_sample(out, name + "_bucket", before + "+Inf\"", std::to_string(count));
        append_sample(out, name + "_sum", labels, number(static_cast<double>(histogram.micros_.load(std::memory_order_relaxed)) / 1e6));
        append_sample(out, name + "_count", labels, std::to_string(count));
      }
    }
  }
  return out;
}

}  // namespace loggia
