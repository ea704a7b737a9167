#include "bus/event.hpp"
#include <fmt/format.h>
#include <charconv>
#include <cstring>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia {
namespace {

/// MurmurHash2 as org.apache.kafka.common.utils.Utils has it.
std::uint32_t murmur2(std::string_view data) {
  constexpr std::uint32_t m = 0x5bd1e995;
  auto hash = 0x9747b28cu ^ static_cast<std::uint32_t>(data.size());
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(data[at])); };
  std::size_t at = 0;
  for (; at + 4 <= data.size(); at += 4) {
    auto k = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    k *= m;
    k ^= k >> 24;
    k *= m;
    hash = hash * m ^ k;
  }
  switch (data.size() - at) {
    case 3:
      hash ^= byte(at + 2) << 16;
      [[fallthrough]];
    case 2:
      hash ^= byte(at + 1) << 8;
      [[fallthrough]];
    case 1:
      hash ^= byte(at);
      hash *= m;
      break;
    default:
      break;
  }
  hash ^= hash >> 13;
  hash *= m;
  return hash ^ hash >> 15;
}

}  // namespace

int partition_of(std::string_view key, int partitions) {
  return static_cast<int>((murmur2(key) & 0x7fffffffu) % static_cast<std::uint32_t>(partitions));
}

std::string to_cloud_event(const Event& event) {
  std::string out = R"({"specversion":"1.0","id":")" + event.id.text() + R"(","source":)";
  append_quoted(out, event.source);
  out += R"(,"type":)";
  append_quoted(out, event.type);
  out += R"(,"subject":)";
  append_quoted(out, event.key);
  out += R"(,"time":")" + to_rfc3339(event.time) + R"(","datacontenttype":"application/json","dataschema":"/schemas/)" + event.type + "/" +
         std::to_string(event.version) + "\"";
  if (!event.traceparent.empty()) {
    out += R"(,"traceparent":)";
    append_quoted(out, event.traceparent);
  }
  out += R"(,"partitionkey":)";
  append_quoted(out, event.key);
  if (event.sequence > 0) out += fmt::format(R"(,"sequence":"{:020}")", event.sequence);  // a signal stands nowhere
  out += R"(,"data":)";
  out += event.data && !event.data->empty() ? *event.data : "null";
  return out += "}";
}

namespace bus {

Result<std::shared_ptr<Event>> from_cloud_event(std::string_view text) {
  // `data` is the last field and stands as it came; a quote inside of a text before it is escaped.
  constexpr std::string_view mark = R"(,"data":)";
  const auto at = text.find(mark);
  if (at == text.npos || !text.ends_with('}')) return Error(Errc::malformed, "this is no event that was kept");
  auto head = parse_untrusted(std::string(text.substr(0, at)) + "}");
  if (!head) return head.error();
  const auto field = [&](const char* name) {
    const auto found = head->find(name);
    return found != head->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  auto id = Uuid::parse(field("id"));
  if (!id) return id.error();
  auto time = parse_rfc3339(field("time"));
  if (!time) return time.error();
  auto event = std::make_shared<Event>();
  event->id = *id;
  event->time = *time;
  event->type = field("type");
  event->key = field("subject");
  event->source = field("source");
  event->traceparent = field("traceparent");
  const auto sequence = field("sequence");
  const auto [end, problem] = std::from_chars(sequence.data(), sequence.data() + sequence.size(), event->sequence);
  if (!sequence.empty() && (problem != std::errc() || end != sequence.data() + sequence.size() || event->sequence < 1))
    return Error(Errc::malformed, "the sequence is no number from 1");
  event->data = std::make_shared<const std::string>(text.substr(at + mark.size(), text.size() - at - mark.size() - 1));
  return event;
}

}  // namespace bus
}  // namespace loggia
