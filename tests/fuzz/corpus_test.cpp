// The kept corpus through every target, without libFuzzer: what was found once is not found again.
#include <doctest/doctest.h>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include "fuzz/target.hpp"

namespace loggia::fuzz {
namespace {

std::string content(const std::filesystem::path& file) {
  std::stringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}

TEST_CASE("every target takes its kept corpus, and prefixes of it, without a finding") {
  const std::filesystem::path corpus = std::filesystem::path(LOGGIA_ROOT) / "tests/fuzz/corpus";
  CHECK(targets().size() >= 14);
  std::size_t inputs = 0;
  for (const auto& [name, target] : targets()) {
    CAPTURE(name);
    REQUIRE_MESSAGE(std::filesystem::is_directory(corpus / name), "a target has a corpus");
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpus / name)) {
      CAPTURE(entry.path().filename().string());
      const auto whole = content(entry.path());
      ++files;
      // Cut short as well: a parser's mistakes are at the ends of its inputs.
      for (const std::size_t size : {whole.size(), whole.size() / 2, whole.size() - whole.size() / 8}) {
        ++inputs;
        CHECK_NOTHROW(target(std::string_view(whole).substr(0, size)));
      }
    }
    CHECK(files > 0);
    target(std::string_view());
  }
  std::printf("fuzz: %zu inputs of the kept corpus through %zu targets\n", inputs, targets().size());
}

TEST_CASE("a property that does not hold is a finding") {
  CHECK_THROWS_WITH(require(false, "it holds"), "it holds");
  CHECK_NOTHROW(require(true, "it holds"));
}

}  // namespace
}  // namespace loggia::fuzz
