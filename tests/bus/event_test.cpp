// The form of an event outside, and the partition of its key.
#include <doctest/doctest.h>
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "support/print.hpp"

namespace loggia {

TEST_CASE("the partition of a key is that of Kafka's default partitioner") {
  // murmur2 of UtilsTest.testMurmur2 in Apache Kafka.
  const std::pair<std::string_view, std::int32_t> known[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };
  for (const auto& [key, hash] : known)
    for (const int partitions : {1, 3, 16, 1000, 65536, 2147483647}) CHECK(partition_of(key, partitions) == (hash & 0x7fffffff) % partitions);
  CHECK(partition_of("", 16) >= 0);
}

TEST_CASE("an event outside is CloudEvents 1.0 in JSON") {
  Event event;
  event.topic = "new-messages";
  event.sequence = 42;
  event.id = Uuid::parse("0197f3a0-0000-7000-8000-000000000001").value();
  event.type = "message.created";
  event.key = "room \"1\"";
  event.time = parse_rfc3339("2026-01-31T12:00:00.123Z").value();
  event.source = "/loggia/chat/epoch";
  event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  event.data = std::make_shared<const std::string>(R"({"seq":7,"text":"a"})");
  CHECK(to_cloud_event(event) ==
        R"({"specversion":"1.0","id":"0197f3a0-0000-7000-8000-000000000001","source":"/loggia/chat/epoch","type":"message.created",)"
        R"("subject":"room \"1\"","time":"2026-01-31T12:00:00.123Z","datacontenttype":"application/json","dataschema":"/schemas/message.created/1",)"
        R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","partitionkey":"room \"1\"","sequence":"00000000000000000042",)"
        R"("data":{"seq":7,"text":"a"}})");
  event.traceparent.clear();
  event.data = nullptr;
  const auto parsed = parse_untrusted(to_cloud_event(event));
  REQUIRE(parsed);
  CHECK(parsed->at("data").is_null());
  CHECK_FALSE(parsed->contains("traceparent"));
}

}  // namespace loggia
