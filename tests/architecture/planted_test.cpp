// Each rule finds what it forbids, and says where it is and what to do.
#include <doctest/doctest.h>
#include <cstdlib>
#include <fstream>
#include "architecture/rules.hpp"

using namespace loggia::architecture;
namespace fs = std::filesystem;

namespace {

/// A small sound tree, in which a test plants one thing.
class Garden {
 public:
  Garden() {
    std::string name = (fs::temp_directory_path() / "loggia-tree-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
    plant("modules/user/CMakeLists.txt", "loggia_module(user HEARS auth realtime)\n");
    plant("modules/chat/CMakeLists.txt", "loggia_module(chat NEEDS user\n  HEARS auth LINKS PkgConfig::utf8proc)\n");
    plant("modules/chat/service.cpp",
          "#include \"service.hpp\"\n#include \"loggia/chat/contract.hpp\"\n#include \"loggia/user/contract.hpp\"\n#include "
          "\"loggia/auth/events.hpp\"\n#include \"loggia/ids.hpp\"\n");
    plant("include/loggia/chat/contract.hpp", "#pragma once\n#include \"loggia/ids.hpp\"\n#include \"loggia/kernel/contract.hpp\"\n");
  }
  ~Garden() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  void plant(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  Findings check() const { return loggia::architecture::check(read_tree(root_)); }

 private:
  fs::path root_;
};

std::string only(const Findings& findings) {
  std::string all;
  for (const auto& finding : findings) all += finding.text() + "\n";
  CAPTURE(all);
  REQUIRE(findings.size() == 1);
  return findings[0].text();
}
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a sound tree has no findings") {
  const Garden garden;
  for (const auto& finding : garden.check()) FAIL_CHECK(finding.text());
}

TEST_CASE("each violation is found with its file, its line and its remedy") {
  struct Case {
    std::string path, text, where, what, remedy;
  };
  const Case cases[] = {
      {"modules/chat/a.cpp", "\n#include \"loggia/notification/contract.hpp\"\n",
       "modules/chat/a.cpp:2:", "chat has not declared that it needs notification", "add notification to NEEDS in modules/chat/CMakeLists.txt"},
      {"modules/chat/a.cpp", "#include \"loggia/auth/contract.hpp\"\n", "modules/chat/a.cpp:1:", "needs auth", "NEEDS"},
      {"modules/chat/a.cpp", "#include \"loggia/realtime/events.hpp\"\n", "modules/chat/a.cpp:1:", "hears realtime", "HEARS"},
      {"include/loggia/chat/events.hpp", "#include \"loggia/chat/contract.hpp\"\n", "include/loggia/chat/events.hpp:1:", "events know", "ids.hpp"},
      {"include/loggia/chat/more.hpp", "#include \"loggia/user/contract.hpp\"\n", "include/loggia/chat/more.hpp:1:", "a contract knows", "ids.hpp"},
      {"src/kernel/http/a.cpp", "\n\n#include \"loggia/chat/contract.hpp\"\n",
       "src/kernel/http/a.cpp:3:", "the kernel knows no module, and this names chat", "ModuleDescriptor"},
      {"include/loggia/kernel/a.hpp", "#include \"loggia/ids.hpp\"\n", "include/loggia/kernel/a.hpp:1:", "names ids", "hand in"},
      {"src/kernel/bus/a.cpp", "void f(loggia::user::Service&);\n", "src/kernel/bus/a.cpp:1:", "names user", "hand in"},
      {"modules/chat/a.cpp", "#include <boost/beast/http.hpp>\n", "modules/chat/a.cpp:1:", "Beast", "loggia/kernel/http.hpp"},
      {"src/kernel/bus/a.cpp", "#include <boost/beast/http.hpp>\n", "src/kernel/bus/a.cpp:1:", "Beast", "loggia/kernel/http.hpp"},
      {"modules/chat/a.cpp", "#include <openssl/evp.h>\n", "modules/chat/a.cpp:1:", "OpenSSL", "crypto.hpp"},
      {"modules/chat/a.cpp", "#include <sqlite3.h>\n", "modules/chat/a.cpp:1:", "SQLite", "storage.hpp"},
      {"modules/chat/a.cpp", "#include \"../user/service.hpp\"\n", "modules/chat/a.cpp:1:", "goes up", "include root"},
      {"modules/chat/a.cpp", "\nvoid f() {\n  auto x = co_await g(Thing{1});\n}\n", "modules/chat/a.cpp:3:", "awaits and holds a brace",
       "name the value first"},
      {"modules/chat/a.cpp", "void f(Options options = {});\n", "modules/chat/a.cpp:1:", "defaults to braces", "overload"},
      {"modules/chat/a.cpp", "void f(int a, Options options = Options{}, int b = 1);\n", "modules/chat/a.cpp:1:", "defaults to braces", "overload"},
      {"modules/chat/a.cpp", "auto t = std::chrono::system_clock::now();\n", "modules/chat/a.cpp:1:", "a clock is read", "Clock::now()"},
      {"src/kernel/http/a.cpp", "auto t = steady_clock::now();\n", "src/kernel/http/a.cpp:1:", "a clock is read", "Clock::now()"},
      {"modules/chat/a.cpp", "std::cerr << 1;\n", "modules/chat/a.cpp:1:", "printed", "log::info"},
      {"modules/chat/a.cpp", "co_spawn(e, f(), asio::detached);\n", "modules/chat/a.cpp:1:", "detached", "Tasks::spawn"},
      {"modules/chat/a.cpp",
       "// TO"
       "DO later\n",
       "modules/chat/a.cpp:1:", "undone", "issue"},
      {"modules/chat/long.cpp", std::string(401, '\n'), "modules/chat/long.cpp:401:", "401 lines", "split"},
      {"modules/chat/CMakeLists.txt", "# chat\nloggia_module(chat NEEDS user realtime HEARS auth)\n",
       "modules/chat/CMakeLists.txt:2:", "chat NEEDS realtime, but in the design user", "design.md"},
      {"modules/user/CMakeLists.txt", "loggia_module(user HEARS auth chat)\n", "modules/user/CMakeLists.txt:1:", "user HEARS chat", "design.md"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.path);
    CAPTURE(one.text);
    const Garden garden;
    garden.plant(one.path, one.text);
    const auto found = only(garden.check());
    CAPTURE(found);
    CHECK(found.starts_with(one.where));
    CHECK(contains(found, one.what));
    CHECK(contains(found, one.remedy));
  }
}

TEST_CASE("what only looks like a violation is none") {
  for (const std::string text : {
           "void f() {\n  const auto x = Thing{1};\n  auto y = co_await g(std::move(x));\n}\n",
           "void f() {\n  if (auto x = co_await g(); !x) {\n    co_return;\n  }\n}\n",
           "void f() {\n  while (co_await g()) {\n    h();\n  }\n  co_await i();\n}\n",
           "void f() {\n  for (;;) { co_await g(); }\n}\n",
           "void f() {\n  const auto work = [x](Query& q) -> Result<int> { return q.count(x); };\n  co_return co_await read(work);\n}\n",
           "void f() {\n  auto x = co_await g(\"{}\");  // {a}\n  auto c = co_await g('{');\n}\n",
           "Task<void> f() { co_await g(); }\n",
           "const char* sql = R\"sql(SELECT system_clock::now, detached)sql\";\n",
           "// steady_clock::now is what Clock is for\n",
           "void f(Options options = Options());\nint x[] = {1, 2};\nThing t = {1};\n",
           "std::int64_t big = 1'000'000; auto x = co_await g(big);\n",
       }) {
    CAPTURE(text);
    const Garden garden;
    garden.plant("modules/chat/a.cpp", text);
    for (const auto& finding : garden.check()) FAIL_CHECK(finding.text());
  }
}

TEST_CASE("braces around an await are found in every form that g++ 12 breaks") {
  for (const std::string statement :
       {"co_await g([x] { return x; });", "auto x = co_await g({1, 2});", "co_return Reply{co_await g()};", "f(Thing{1}, co_await g());",
        "auto x = co_await g(a, std::string{\"b\"});", "if (auto x = co_await g(Thing{1}); x) {\n  }", "auto x = Thing{1} + co_await g();"}) {
    CAPTURE(statement);
    const Garden garden;
    garden.plant("modules/chat/a.cpp", "void f() {\n  " + statement + "\n}\n");
    CHECK(garden.check().size() == 1);
  }
}

TEST_CASE("Beast, the clock and the log have a place of their own") {
  const Garden garden;
  garden.plant("src/kernel/http/a.cpp", "#include <boost/beast/http.hpp>\n#include <openssl/ssl.h>\n");
  garden.plant("src/kernel/time/a.cpp", "auto t = std::chrono::steady_clock::now();\n");
  garden.plant("src/kernel/storage/a.cpp", "#include <sqlite3.h>\n");
  garden.plant("src/kernel/storage/postgres/a.cpp", "#include <libpq-fe.h>\n");
  garden.plant("src/cli/a.cpp", "std::cout << 1;\n");
  for (const auto& finding : garden.check()) FAIL_CHECK(finding.text());
}

TEST_CASE("a seventh module's own declaration counts, without a change of the table") {
  const Garden garden;
  garden.plant("modules/polls/CMakeLists.txt", "loggia_module(polls NEEDS chat HEARS user)\n");
  garden.plant("modules/polls/a.cpp",
               "#include \"loggia/chat/contract.hpp\"\n#include \"loggia/user/events.hpp\"\n#include \"loggia/polls/contract.hpp\"\n");
  for (const auto& finding : garden.check()) FAIL_CHECK(finding.text());
  garden.plant("modules/polls/b.cpp", "#include \"loggia/user/contract.hpp\"\n");
  CHECK(contains(only(garden.check()), "polls has not declared that it needs user"));
}

TEST_CASE("a circle of needs is found at each module in it") {
  const Garden garden;
  garden.plant("modules/polls/CMakeLists.txt", "loggia_module(polls NEEDS votes)\n");
  garden.plant("modules/votes/CMakeLists.txt", "loggia_module(votes NEEDS polls)\n");
  const auto found = garden.check();
  REQUIRE(found.size() == 2);
  CHECK(contains(found[0].text(), "modules/polls/CMakeLists.txt:1: polls is in, or needs, a circle"));
}
