#include "time_zone.hpp"
#include <algorithm>
#include <fstream>
#include <sstream>

namespace loggia::notification {
namespace {

constexpr std::size_t file_max = 256u << 10, header_size = 44, zones_max = 2000;

std::int64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t out = (static_cast<unsigned char>(bytes[at]) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < size; ++i) out = (out << 8) | static_cast<unsigned char>(bytes[at + i]);
  return static_cast<std::int64_t>(out);
}

/// The six counts of a TZif header and how long the block behind it is.
struct Header {
  std::size_t indicators_utc, indicators_standard, leaps, times, types, characters;
  std::size_t block(std::size_t time_size) const {
    return times * (time_size + 1) + types * 6 + characters + leaps * (time_size + 4) + indicators_standard + indicators_utc;
  }
};

std::optional<Header> header_at(std::string_view bytes, std::size_t at) {
  if (bytes.size() < at + header_size || bytes.substr(at, 4) != "TZif") return std::nullopt;
  const auto count = [&](std::size_t index) { return static_cast<std::size_t>(big_endian(bytes, at + 20 + index * 4, 4)); };
  const Header out{count(0), count(1), count(2), count(3), count(4), count(5)};
  for (const auto one : {out.indicators_utc, out.indicators_standard, out.leaps, out.times, out.types, out.characters})
    if (one > file_max) return std::nullopt;
  return out;
}

/// A name of the zone database, as a path below its folder: no dots, no slash in front.
bool zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' || c == '+';
  });
}

}  // namespace

std::optional<Zone> Zone::parse(std::string_view bytes) {
  auto header = header_at(bytes, 0);
  if (!header || bytes[4] < '2') return std::nullopt;  // version 1 has 32 bits of time and no rule behind
  const std::size_t second = header_size + header->block(4);
  header = header_at(bytes, second);
  if (!header || header->types == 0) return std::nullopt;
  std::size_t at = second + header_size;
  const std::size_t end = at + header->block(8);
  if (end > bytes.size()) return std::nullopt;
  const std::size_t indices = at + header->times * 8, types = indices + header->times;
  const auto offset_of = [&](std::size_t type) { return std::chrono::seconds(big_endian(bytes, types + type * 6, 4)); };
  Zone out;
  out.before_ = offset_of(0);
  for (std::size_t i = 0; i < header->times; ++i) {
    const auto type = static_cast<unsigned char>(bytes[indices + i]);
    if (type >= header->types) return std::nullopt;
    out.times_.push_back(big_endian(bytes, at + i * 8, 8));
    out.offsets_.push_back(offset_of(type));
  }
  if (!std::is_sorted(out.times_.begin(), out.times_.end())) return std::nullopt;
  auto footer = bytes.substr(end);
  if (footer.size() > 2 && footer.front() == '\n') out.after_ = PosixRule::parse(footer.substr(1, footer.find('\n', 1) - 1));
  return out;
}

std::chrono::seconds Zone::offset_at(Time time) const {
  const auto second = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  const auto after = std::upper_bound(times_.begin(), times_.end(), second);
  if (after == times_.end() && after_) return after_->offset_at(second);
  return after == times_.begin() ? before_ : offsets_[static_cast<std::size_t>(after - times_.begin()) - 1];
}

std::shared_ptr<const Zone> Zones::find(const std::string& name) {
  if (!zone_name(name) || name == "UTC") return nullptr;
  const std::lock_guard lock(mutex_);
  if (const auto known = known_.find(name); known != known_.end()) return known->second;
  if (known_.size() >= zones_max) known_.clear();
  std::shared_ptr<const Zone> zone;
  std::ifstream file(folder_ + '/' + name, std::ios::binary);
  std::string bytes(file_max, '\0');
  if (file) {
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    if (auto parsed = Zone::parse(bytes)) zone = std::make_shared<const Zone>(std::move(*parsed));
  }
  known_.emplace(name, zone);
  return zone;
}

int Zones::minute_of_day(const std::string& name, Time time) {
  const auto zone = find(name);
  const auto local =
      std::chrono::floor<std::chrono::minutes>(time + (zone ? zone->offset_at(time) : std::chrono::seconds(0))).time_since_epoch().count();
  return static_cast<int>(((local % 1440) + 1440) % 1440);
}

}  // namespace loggia::notification
