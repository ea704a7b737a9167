// Who follows, in the process that appends and in others: everything once, in order, whatever Kafka does.
#include "mocked.hpp"
#ifdef LOGGIA_HAS_KAFKA

namespace loggia {
using namespace test;

TEST_SUITE_BEGIN("mock");

TEST_CASE("who follows in the process that appends hears it at once, and once, whatever Kafka does") {
  Mocked t;
  t.run();
  auto all = t.append_many("room", 0, 10);
  CHECK(t.told.data() == all);
  t.all_arrived(all);
  t.cluster->away(true);
  const auto more = t.append_many("room", 10, 50);
  all.insert(all.end(), more.begin(), more.end());
  CHECK(t.told.data() == all);
  t.cluster->away(false);
  t.all_arrived(all);
}

TEST_CASE("who follows elsewhere hears it by Kafka; what is in the log while the cluster is away too, and hears it once") {
  Mocked t;
  t.run();
  FollowsElsewhere elsewhere(t.kafka, t.options, t.log);
  auto all = t.append_many("room", 0, 10);
  t.until([&] { return elsewhere.told.size() == all.size(); });
  CHECK(elsewhere.told.data() == all);
  CHECK(elsewhere.from_log() == 0);
  t.cluster->away(true);
  const auto more = t.append_many("room", 10, 50);
  all.insert(all.end(), more.begin(), more.end());
  t.in_time([&] { return elsewhere.told.size() == all.size(); });
  CHECK(elsewhere.told.data() == all);
  CHECK(elsewhere.from_log() > 0);
  t.cluster->away(false);
  t.all_arrived(all);
  const auto last = t.append_many("room", 60, 10);
  all.insert(all.end(), last.begin(), last.end());
  t.in_time([&] { return elsewhere.told.size() == all.size(); });
  CHECK(elsewhere.told.data() == all);
}

TEST_CASE("while the broker says nothing to who asks where to begin, the log is read as ever") {
  Mocked t;
  t.run();
  auto all = t.append_many("room", 0, 1);
  t.until([&] { return t.caught_up(); });
  t.cluster->has(t.kafka.topic_prefix + "late", false);  // so it asks again and again
  FollowsElsewhere elsewhere(t.kafka, t.options, t.log, {"messages", "late"});
  const auto one_more = [&](int number) {
    const auto more = t.append_many("room", number, 1);
    all.insert(all.end(), more.begin(), more.end());
    t.in_time([&] { return elsewhere.told.size() + 1 == all.size(); });
  };
  one_more(1);
  CHECK(elsewhere.from_log() == 1);
  t.cluster->hangs();
  const auto began = std::chrono::steady_clock::now();
  for (int number = 2; number < 6; ++number) one_more(number);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(3));  // an answer is waited for as long as two, each time
  CHECK(elsewhere.told.data() == std::vector<std::string>(all.begin() + 1, all.end()));
}

TEST_CASE("who follows elsewhere goes on behind what neither Kafka nor the log has any more") {
  Mocked t;
  t.end();
  t.options.tail_bytes = 1;  // rows alone
  t.again();
  t.relays_nothing();
  t.run();
  FollowsElsewhere elsewhere(t.kafka, t.options, t.log);
  const auto all = t.append_many("room", 0, 30);
  REQUIRE(t.store->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
    return transaction.execute("DELETE FROM log_event WHERE topic = 'messages' AND sequence <= 20");
  }));
  t.in_time([&] { return elsewhere.told.size() >= 10; });
  CHECK(elsewhere.told.data() == std::vector<std::string>(all.begin() + 20, all.end()));
}

TEST_SUITE_END();

}  // namespace loggia
#endif
