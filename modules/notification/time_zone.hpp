#pragma once
// What time it is where somebody lives. g++ 12 has no std::chrono::tzdb, so this reads the host's zone files (TZif, RFC 8536) itself.
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include "loggia/kernel/time.hpp"

namespace loggia::notification {

/// The rule behind the last transition of a zone file: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX, as RFC 8536 extends it).
class PosixRule {
 public:
  static std::optional<PosixRule> parse(std::string_view text);
  std::chrono::seconds offset_at(std::int64_t unix_seconds) const;

 private:
  /// A day of the year with a time of day: M (month.week.weekday), J (1 to 365 without leap day) or a plain number (0 to 365).
  struct Change {
    enum class Kind { weekday, julian, day } kind = Kind::weekday;
    int month = 1, week = 1, day = 0;
    std::chrono::seconds time{7200};
    std::int64_t at(int year) const;
    friend class PosixRule;
  };
  static std::optional<Change> parse_change(std::string_view& rest);
  std::chrono::seconds standard_{0}, summer_{0};
  std::optional<Change> begin_, end_;
};

/// One zone. Immutable.
class Zone {
 public:
  /// Of the bytes of a TZif file.
  static std::optional<Zone> parse(std::string_view bytes);
  std::chrono::seconds offset_at(Time time) const;

 private:
  std::vector<std::int64_t> times_;            // of the transitions, ascending
  std::vector<std::chrono::seconds> offsets_;  // from each on
  std::chrono::seconds before_{0};
  std::optional<PosixRule> after_;
};

/// Zones by IANA name, read once each. A name that is none, or a host without zone files, is UTC. Safe from every thread.
class Zones {
 public:
  explicit Zones(std::string folder = "/usr/share/zoneinfo") : folder_{std::move(folder)} {}
  /// Minutes after midnight there.
  int minute_of_day(const std::string& zone, Time time);

 private:
  std::shared_ptr<const Zone> find(const std::string& name);
  const std::string folder_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Zone>> known_;  // null: no such zone
};

}  // namespace loggia::notification
