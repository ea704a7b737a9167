#include "loggia/kernel/metrics.hpp"
#include <doctest/doctest.h>
#include <stdexcept>
#include <thread>

using namespace loggia;

namespace {
Labels labels(std::string name, std::string value) {
  Labels out;
  out.emplace_back(std::move(name), std::move(value));
  return out;
}
}  // namespace

TEST_CASE("metrics are text in the exposition format, families in the order of their names") {
  Metrics metrics;
  metrics.gauge("loggia_connections", "Open connections.", Labels()).set(3);
  metrics.counter("loggia_b_total", "Second.", labels("code", "200")).add();
  metrics.counter("loggia_b_total", "Second.", labels("code", "404")).add(2);
  metrics.observed("loggia_a_bytes", "Asked.", Labels(), [] { return 1.5; });
  CHECK(metrics.text() ==
        "# HELP loggia_a_bytes Asked.\n# TYPE loggia_a_bytes gauge\nloggia_a_bytes 1.5\n"
        "# HELP loggia_b_total Second.\n# TYPE loggia_b_total counter\nloggia_b_total{code=\"200\"} 1\nloggia_b_total{code=\"404\"} 2\n"
        "# HELP loggia_connections Open connections.\n# TYPE loggia_connections gauge\nloggia_connections 3\n");
}

TEST_CASE("labels and help are escaped") {
  Metrics metrics;
  metrics.counter("x_total", "A \\ and\na line.", labels("path", "a\"b\\c\nd")).add();
  CHECK(metrics.text() == "# HELP x_total A \\\\ and\\na line.\n# TYPE x_total counter\nx_total{path=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST_CASE("the same name and labels are the same series, in whatever order the labels stand") {
  Metrics metrics;
  Labels one, other;
  one.emplace_back("a", "1");
  one.emplace_back("b", "2");
  other.emplace_back("b", "2");
  other.emplace_back("a", "1");
  auto& counter = metrics.counter("x_total", "X.", one);
  CHECK(&counter == &metrics.counter("x_total", "X.", other));
  CHECK(&counter != &metrics.counter("x_total", "X.", Labels()));
  CHECK_THROWS_AS(metrics.gauge("x_total", "X.", one), std::logic_error);
}

TEST_CASE("a histogram counts into buckets that add up") {
  Metrics metrics;
  auto& histogram = metrics.histogram("took_seconds", "Time.", labels("op", "send"));
  for (const double value : {0.0001, 0.0005, 0.003, 0.25, 11.0}) histogram.observe(value);
  const auto text = metrics.text();
  for (const char* line :
       {"# TYPE took_seconds histogram\n", "took_seconds_bucket{op=\"send\",le=\"0.0005\"} 2\n", "took_seconds_bucket{op=\"send\",le=\"0.005\"} 3\n",
        "took_seconds_bucket{op=\"send\",le=\"0.25\"} 4\n", "took_seconds_bucket{op=\"send\",le=\"10\"} 4\n",
        "took_seconds_bucket{op=\"send\",le=\"+Inf\"} 5\n", "took_seconds_sum{op=\"send\"} 11.2536\n", "took_seconds_count{op=\"send\"} 5\n"}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("what is observed anew replaces what was, and a total is a counter") {
  Metrics metrics;
  metrics.observed("x_total", "X.", Labels(), [] { return 1.0; });
  metrics.observed("x_total", "X.", Labels(), [] { return 2.0; });
  CHECK(metrics.text() == "# HELP x_total X.\n# TYPE x_total counter\nx_total 2\n");
}

TEST_CASE("threads may count and register while the text is made") {
  Metrics metrics;
  auto& counter = metrics.counter("x_total", "X.", Labels());
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      for (int at = 0; at < 1000; ++at) {
        counter.add();
        metrics.gauge("y", "Y.", labels("at", std::to_string(t * 10 + at % 10))).set(at);
      }
    });
  for (int at = 0; at < 50; ++at) CHECK_FALSE(metrics.text().empty());
  for (auto& thread : threads) thread.join();
  CHECK(counter.value() == 3000);
}
