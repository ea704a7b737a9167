#pragma once
// UUIDs (RFC 9562) that know what they name.
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include "loggia/kernel/result.hpp"

namespace loggia {

using Bytes16 = std::array<std::uint8_t, 16>;
Result<Bytes16> parse_uuid(std::string_view text);
std::string format_uuid(const Bytes16& bytes);

/// 16 bytes inside, lower-case text on the wire. Version 7, so ids order by age. Default: nil, which names nothing.
template <class Tag> class Id {
 public:
  Id() = default;
  explicit Id(const Bytes16& bytes) : bytes_{bytes} {}
  template <class Other> explicit Id(const Id<Other>& other) : bytes_{other.bytes()} {}
  static Result<Id> parse(std::string_view text) {
    auto bytes = parse_uuid(text);
    if (!bytes) return bytes.error();
    return Id(*bytes);
  }
  std::string text() const { return format_uuid(bytes_); }
  bool nil() const { return bytes_ == Bytes16(); }
  const Bytes16& bytes() const { return bytes_; }
  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  Bytes16 bytes_{};
};

/// An id whose kind the kernel does not know.
using Uuid = Id<struct AnyTag>;

}  // namespace loggia

template <class Tag> struct std::hash<loggia::Id<Tag>> {
  std::size_t operator()(const loggia::Id<Tag>& id) const noexcept {
    std::uint64_t high, low;
    std::memcpy(&high, id.bytes().data(), 8);
    std::memcpy(&low, id.bytes().data() + 8, 8);
    return static_cast<std::size_t>((high * 0x9E3779B97F4A7C15ull) ^ low ^ (low >> 29));
  }
};
