#include "loggia/kernel/result.hpp"
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <vector>
#include "loggia/kernel/json_value.hpp"

using namespace loggia;

namespace {

/// Counts how often what it stands for is alive: each value or error of a result is destroyed once.
struct Counted {
  explicit Counted(int& alive) : alive_{&alive} { ++*alive_; }
  Counted(const Counted& other) : alive_{other.alive_} { ++*alive_; }
  Counted(Counted&& other) noexcept : alive_{other.alive_} { ++*alive_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*alive_; }

 private:
  int* alive_;
};

}  // namespace

TEST_SUITE("result") {
  TEST_CASE("a value or an error, told apart") {
    const Result<std::string> good = "a text";
    REQUIRE(good);
    CHECK(*good == "a text");
    CHECK(good->size() == 6);
    CHECK(good.value_or("another") == "a text");
    const Result<std::string> bad = Error(Errc::not_found, "no such room");
    REQUIRE_FALSE(bad);
    CHECK(bad.has_error());
    CHECK(bad.error().code == Errc::not_found);
    CHECK(bad.value_or("another") == "another");
  }

  TEST_CASE("a JSON object stays an object, and is not put into an array of one") {
    const Result<json> object = json({{"a", 1}});
    REQUIRE(object->is_object());
    Result<json> moved = json::object();
    CHECK(moved->is_object());
    moved = Result<json>(json("text"));
    CHECK(moved->is_string());
    CHECK(Result<std::vector<int>>(std::vector<int>(3, 7))->size() == 3);
  }

  TEST_CASE("what can only be moved is moved out") {
    Result<std::unique_ptr<int>> owner = std::make_unique<int>(5);
    const std::unique_ptr<int> taken = *std::move(owner);
    CHECK(*taken == 5);
  }

  TEST_CASE("each value is destroyed once, whatever was assigned over it") {
    int alive = 0;
    {
      Result<Counted> one = Counted(alive);
      const Result<Counted> two = one;
      CHECK(alive == 2);
      one = Error(Errc::internal, "gone");
      CHECK(alive == 1);
      one = two;
      CHECK(alive == 2);
      const auto& same = one;
      one = same;  // assigned to itself
      CHECK(alive == 2);
      one = std::move(one.value());
      CHECK(alive == 2);
    }
    CHECK(alive == 0);
  }

  TEST_CASE("assigned to itself, a text is still there") {
    Result<std::string> text = std::string(100, 'x');
    const auto& same = text;
    text = same;
    CHECK(*text == std::string(100, 'x'));
  }

  TEST_CASE("the value where there is none, and the error where there is none, throw and say where and why") {
    Result<int> bad = Error(Errc::not_found, "no such room");
    CHECK_THROWS_WITH(bad.value(), doctest::Contains("no such room"));
    CHECK_THROWS_WITH(bad.value(), doctest::Contains("result_test.cpp"));
    const Result<int> good = 5;
    CHECK_THROWS_WITH(static_cast<void>(good.error()), doctest::Contains("result_test.cpp"));
  }
}
