#include <argon2.h>
#include <boost/asio/co_spawn.hpp>
#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using namespace loggia::auth::testing;

TEST_CASE("a login is by username, without regard to case, and by the password exactly") {
  World world;
  REQUIRE(world.register_as("ada"));
  CHECK(world.login("ADA"));
  CHECK(code_of(world.login("ada", "Correct horse battery")) == Errc::unauthenticated);
}

TEST_CASE("a wrong password and an unknown login are alike: in answer, in hashing, in what is written down") {
  World world;
  REQUIRE(world.register_as("ada"));
  const int before = *world.verified;
  const auto wrong = world.login("ada", "certainly not this");
  CHECK(*world.verified == before + 1);
  const auto unknown = world.login("nobody", "certainly not this");
  CHECK(*world.verified == before + 2);
  REQUIRE(!wrong);
  REQUIRE(!unknown);
  CHECK(wrong.error().code == unknown.error().code);
  CHECK(wrong.error().detail == unknown.error().detail);
  const auto entries = world.audit("login.refused");
  REQUIRE(entries.size() == 2);
  for (const auto& entry : entries) CHECK(entry.address == "192.0.2.7");
  CHECK_FALSE(entries[0].target);
}

TEST_CASE("a login that no store takes is nobody's") {
  World world;
  REQUIRE(world.register_as("ada"));
  for (const auto& login : {std::string(1, '\0'), std::string("ada\0", 4), std::string("a@\0", 3), std::string("\xFF")})
    CHECK(code_of(world.login(login)) == Errc::unauthenticated);
  CHECK(code_of(world.shell("user.disable", {"\xFF"})) == Errc::not_found);
}

TEST_CASE("an unknown login has no password, not even the one that is hashed in its place") {
  World world;
  CHECK(code_of(world.login("nobody", "no account has this password")) == Errc::unauthenticated);
}

TEST_CASE("a disabled account cannot sign in; who does not know its password does not learn that") {
  World world;
  REQUIRE(world.register_as("ada"));
  REQUIRE(world.shell("user.disable", {"ada"}));
  CHECK(code_of(world.login("ada", "certainly not this")) == Errc::unauthenticated);
  CHECK(code_of(world.login("ada")) == Errc::forbidden);
  REQUIRE(world.shell("user.enable", {"ada"}));
  CHECK(world.login("ada"));
}

TEST_CASE("every login is written down with who, from where and when") {
  World world;
  const auto tokens = world.register_as("ada").value();
  world.kernel.clock->advance(milliseconds(5000));
  REQUIRE(world.login("ada"));
  const auto entries = world.audit("login");
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].actor == tokens.user.id);
  CHECK(entries[0].address == "192.0.2.7");
  CHECK(entries[0].at == entries[1].at + milliseconds(5000));
}

TEST_CASE("a flood of passwords is refused with when to come back, not queued without end") {
  test::FakeKernel kernel;
  auto gate = std::make_shared<std::mutex>();
  Hasher slow;
  slow.hash = [](std::string_view) { return std::string("x"); };
  slow.verify = [gate](std::string_view, const std::string&) {
    const std::lock_guard lock(*gate);
    return false;
  };
  auto passwords = std::make_shared<Passwords>(slow, 1, 2);
  std::vector<Result<bool>> answers;
  std::unique_lock hold(*gate);
  for (int count = 0; count < 8; ++count)
    boost::asio::co_spawn(kernel.shards->executor(0), passwords->verify("p", std::nullopt),
                          [&](const std::exception_ptr&, Result<bool> answer) { answers.push_back(std::move(answer)); });
  kernel.shards->run_until([&] { return answers.size() >= 5; });
  for (const auto& answer : answers) {
    CHECK(code_of(answer) == Errc::unavailable);
    CHECK(answer.error().retry_after == 1);
  }
  hold.unlock();
  kernel.shards->run_until([&] { return answers.size() == 8; });
}

TEST_CASE("a check against nobody's password does the work of a check against somebody's") {
  test::FakeKernel kernel;
  auto hasher = argon2(std::make_shared<test::FakeRandom>());
  const auto stored = hasher.hash(good_password);
  // What a check costs is decided by the parameters and sizes that stand in the hash, and by whether it is computed at all: a mismatch is found at
  // the very end. (No clock here: it would measure the machine's other work too.)
  const auto shape = [](const std::string& phc) { return std::pair(phc.substr(0, phc.rfind('$', phc.rfind('$') - 1)), phc.size()); };
  CHECK(shape(hasher.decoy) == shape(stored));
  const std::string wrong = "not this one";
  CHECK(argon2id_verify(hasher.decoy.c_str(), wrong.data(), wrong.size()) == ARGON2_VERIFY_MISMATCH);
  std::vector<std::string> computed;
  hasher.verify = [&computed, verify = hasher.verify](std::string_view password, const std::string& against) {
    computed.push_back(against);
    return verify(password, against);
  };
  Passwords passwords(hasher, 1, 2);
  for (const auto& against : {std::optional<std::string>(stored), std::optional<std::string>()}) {
    const auto answer = kernel.wait(passwords.verify(wrong, against));
    REQUIRE(answer);
    CHECK_FALSE(*answer);
  }
  CHECK(computed == std::vector<std::string>{stored, hasher.decoy});
}

TEST_CASE("the real hash is argon2id") {
  const auto hasher = argon2(std::make_shared<test::FakeRandom>());
  const auto stored = hasher.hash(good_password);
  CHECK(stored.starts_with("$argon2id$"));
  CHECK(hasher.verify(good_password, stored));
  CHECK_FALSE(hasher.verify("something else", stored));
}
