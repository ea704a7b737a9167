"""Pluggable: a seventh module is one folder and one line in main.cpp. This makes one in a copy of the tree, builds it, and asks it.

The copy compiles out of the cache where there is one, but for the two files that are new.
"""
import os, pathlib, shutil, subprocess, sys
from harness import Person, run

ROOT = pathlib.Path(__file__).resolve().parents[2]

MODULE = {
    "CMakeLists.txt": "loggia_module(greeting HEARS auth)\n",
    "migrations/0001_greetings.sql": "CREATE TABLE greeting(user TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;\n",
    "module.hpp": """#pragma once
#include "loggia/kernel/module.hpp"
namespace loggia::greeting {
ModuleDescriptor module();
}
""",
    "module.cpp": """#include "module.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/kernel/wire.hpp"

namespace loggia::greeting {

std::vector<Migration> migrations();

struct Greeting {
  std::string text;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(Greeting, (), (text, count))
struct Greet {
  using Reply = Greeting;
  static constexpr std::string_view route = "POST /greetings";
  static constexpr Rule rules[] = {length("name", 1, 20)};
  std::string name;
};
BOOST_DESCRIBE_STRUCT(Greet, (), (name))
struct Known {
  std::int64_t people = 0;
};
BOOST_DESCRIBE_STRUCT(Known, (), (people))
struct CountKnown {
  using Reply = Known;
  static constexpr std::string_view route = "GET /greetings/known";
};
BOOST_DESCRIBE_STRUCT(CountKnown, (), ())
using Greetings = Port<Greet, CountKnown>;

class Service final : public Greetings {
 public:
  explicit Service(std::shared_ptr<Database> store) : store_{std::move(store)} {}
  Async<Greeting> on(Context context, Greet request) override {
    auto work = [request](Transaction& transaction) -> Result<Greeting> {
      transaction.execute("INSERT INTO greeting(user, count) VALUES (?1, 1) ON CONFLICT(user) DO UPDATE SET count = count + 1", request.name);
      auto rows = transaction.select("SELECT count FROM greeting WHERE user = ?1", request.name);
      rows->next();
      Greeting greeting;
      greeting.text = "Hello, " + request.name;
      greeting.count = rows->integer(0);
      return greeting;
    };
    co_return co_await store_->write(context, std::move(work));
  }
  Async<Known> on(Context context, CountKnown) override {
    auto work = [](Query& query) -> Result<Known> {
      auto rows = query.select("SELECT count(*) FROM greeting WHERE user LIKE 'registered %'");
      rows->next();
      Known known;
      known.people = rows->integer(0);
      return known;
    };
    co_return co_await store_->read(context, std::move(work));
  }

 private:
  std::shared_ptr<Database> store_;
};

class GreetingModule final : public Module {
 public:
  explicit GreetingModule(Kernel& kernel) {
    auto store = kernel.open("greeting", migrations());
    kernel.ports.offer<Greetings>(std::make_shared<Service>(store));
    Subscription heard;
    heard.topic = auth::UserRegistered::topic;
    heard.group = "greeting";
    heard.store = store;
    heard.types.emplace_back(auth::UserRegistered::type);
    heard.handle = &handle;
    kernel.bus->subscribe(std::move(heard));
  }

 private:
  static Async<Apply> handle(Context, EventPtr event) {
    Apply apply = [event](Transaction& transaction) -> Result<bool> {
      transaction.execute("INSERT INTO greeting(user, count) VALUES (?1, 0) ON CONFLICT(user) DO NOTHING", "registered " + event->key);
      return true;
    };
    co_return apply;
  }
};

ModuleDescriptor module() {
  ModuleDescriptor out;
  out.name = "greeting";
  out.migrations = migrations();
  out.make = [](Kernel& kernel) -> std::unique_ptr<Module> { return std::make_unique<GreetingModule>(kernel); };
  out.mount = [](Router& router, Kernel& kernel) { mount_port(router, *kernel.ports.get<Greetings>()); };
  out.connect = [](Transport& transport, Ports& ports) { ports.offer<Greetings>(connect_port(transport, std::type_identity<Greetings>())); };
  return out;
}

}  // namespace loggia::greeting
""",
}


def a_seventh_module_is_one_folder_and_one_line(server):
    tree = server.home / "tree"
    left_out = {ROOT / "build", ROOT / ".git", ROOT / "web/node_modules"}
    shutil.copytree(ROOT, tree, ignore=lambda folder, names: [n for n in names if pathlib.Path(folder, n) in left_out])
    for name, text in MODULE.items():
        path = tree / "modules/greeting" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    main = tree / "src/main.cpp"
    lines = main.read_text().splitlines(keepends=True)
    # The line, and the include that it needs.
    lines.insert(next(i for i, line in enumerate(lines) if "gateway::module()" in line), "      loggia::greeting::module(),\n")
    lines.insert(next(i for i, line in enumerate(lines) if line.startswith("#include")), '#include "modules/greeting/module.hpp"\n')
    main.write_text("".join(lines))
    done = subprocess.run(["scripts/build", "release", "loggia"], cwd=tree, capture_output=True, text=True, timeout=1500, env={**os.environ, "LOGGIA_CMAKE": "-DLOGGIA_TESTS=OFF"})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    server.binary = str(tree / "build/release/loggia")
    server.start()
    ada = Person(server)
    assert ada.do("POST", "/greetings", {"name": "porch"}) == {"text": "Hello, porch", "count": 1}
    assert ada.do("POST", "/greetings", {"name": "porch"})["count"] == 2
    assert server.call("POST", "/greetings", {"name": ""}, ada.token)[0] == 422
    assert server.call("POST", "/greetings", {"name": "x"})[0] == 401
    from harness import wait_for
    wait_for(lambda: ada.do("GET", "/greetings/known")["people"] == 1, "the event reaches the seventh module")
    assert any(path.endswith("/greetings") for path in server.call("GET", "/openapi.json", base="")[1]["paths"])
    assert any(check["name"] == "greeting" for check in server.call("GET", "/readyz", admin=True)[1]["checks"])
    assert server.stop() == 0


run([a_seventh_module_is_one_folder_and_one_line])
