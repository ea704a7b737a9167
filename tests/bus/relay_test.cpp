// The relay, on a real Kafka: what cannot be delivered to one partition holds up no other.
#include "world.hpp"

namespace loggia {
namespace {

using test::World;
std::uint64_t begun_again(World& t) { return t.metrics->counter("loggia_relay_begun_again_total", "", {}).value(); }

}  // namespace

TEST_CASE("a record that Kafka takes from nobody holds its partition alone, and all go in order once it may" * doctest::skip(!test::on_kafka())) {
  World t;
  test::Told receipts;
  t.bus->follow("receipts", std::ref(receipts));
  t.bus->subscribe(t.mail.subscription("messages"));
  t.bus->subscribe(t.search.subscription("receipts"));
  REQUIRE(t.bus->start());
  auto all = t.append_many("room", 0, 10);
  t.until([&] { return t.mail.done() == all; });
  test::limit_records(t.kafka.topic_prefix + "messages", 2000);
  const auto before = begun_again(t);
  const std::string large(5000, 'x');
  t.append(World::event("room", large));
  all.push_back(large);
  const auto more = t.append_many("room", 10, 20);
  all.insert(all.end(), more.begin(), more.end());
  // Under traffic: each of these wakes the relay, and arrives; it begins again by its own patience, not by the wakes.
  std::vector<std::string> sent;
  for (int at = 0; at < 100; ++at) {
    sent.push_back(std::to_string(at));
    t.append(World::event("anybody", sent.back(), "receipt.created", "receipts"));
    t.until([&] { return t.search.done().size() == sent.size(); });
  }
  CHECK(t.search.done() == sent);
  t.until([&] { return receipts.size() == sent.size(); });
  CHECK(receipts.data() == sent);
  CHECK(begun_again(t) - before < sent.size() / 10);
  CHECK(t.mail.done().size() == 10);
  CHECK(t.bus->state().degraded.find("refuses event") != std::string::npos);
  test::limit_records(t.kafka.topic_prefix + "messages", 1000000);
  t.until([&] { return t.mail.done().size() == all.size() && t.caught_up(); });
  CHECK(t.mail.done() == all);
  CHECK(t.bus->state().degraded.empty());
}

}  // namespace loggia
