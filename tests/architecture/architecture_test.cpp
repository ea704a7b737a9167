// The rules of the tree, as tests: what may include what, and what may not be written at all.
#include <doctest/doctest.h>
#include "architecture/rules.hpp"

using namespace loggia::architecture;

namespace {
const Tree& tree() {
  static const Tree read = read_tree(LOGGIA_ROOT);
  return read;
}
void none_of(const Findings& findings) {
  for (const auto& finding : findings) FAIL_CHECK(finding.text());
}
}  // namespace

TEST_CASE("the tree is where it should be") { CHECK(tree().sources.size() > 50); }
TEST_CASE("a module includes its own files, the kernel, and the contracts it declared a need of") { none_of(undeclared_contracts(tree())); }
TEST_CASE("the kernel knows no module") { none_of(modules_in_the_kernel(tree())); }
TEST_CASE("contracts and events know the kernel and ids alone") { none_of(heavy_contracts(tree())); }
TEST_CASE("the declared arrows are those of the design") { none_of(other_arrows(tree())); }
TEST_CASE("the needs have no circle") { none_of(circles(tree())); }
TEST_CASE("no source holds what is banned") { none_of(banned_words(tree())); }
TEST_CASE("no statement awaits and holds a brace") { none_of(braced_awaits(tree())); }
TEST_CASE("a file fits in the head: 400 lines at most") { none_of(long_files(tree())); }
