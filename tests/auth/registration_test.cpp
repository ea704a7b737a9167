#include <boost/asio/co_spawn.hpp>
#include "world.hpp"

using namespace loggia;
using namespace loggia::auth;
using namespace loggia::auth::testing;

TEST_CASE("whoever registers has an account, a profile and a session at once") {
  World world;
  const auto tokens = world.register_as("Ada");
  REQUIRE(tokens);
  CHECK(tokens->user.username == "Ada");
  CHECK(tokens->token_type == "Bearer");
  CHECK(tokens->expires_in == 600);
  CHECK(tokens->refresh_token);
  REQUIRE(world.directory->made.size() == 1);
  CHECK(world.directory->made[0].id == tokens->user.id);
  CHECK(world.directory->made[0].display_name == "Ada");
  CHECK(world.directory->callers[0].module == "auth");
  const auto verified = world.parts->verifier->verify(tokens->access_token);
  REQUIRE(verified);
  CHECK(verified->caller.subject == Uuid(tokens->user.id));
  CHECK(verified->caller.username == "Ada");
  CHECK(verified->caller.roles == std::vector<std::string>{"member"});
  CHECK(world.events("user.registered").size() == 1);
  CHECK(world.login("ada"));
}

TEST_CASE("register names every field that is wrong") {
  World world;
  Register request;
  request.username = "everyone";
  request.password = "short";
  request.email = "nowhere";
  const auto refused = world.wait(world.accounts.on(world.outside(), request));
  CHECK(code_of(refused) == Errc::invalid_request);
  const auto fields = refused.error().fields;
  REQUIRE(fields.size() == 3);
  CHECK(fields[0].pointer == "/username");
  CHECK(fields[1].pointer == "/password");
  CHECK(fields[2].pointer == "/email");
  CHECK(world.directory->made.empty());
}

TEST_CASE("a username is taken without regard to case") {
  World world;
  REQUIRE(world.register_as("ada"));
  CHECK(code_of(world.register_as("ADA")) == Errc::conflict);
  CHECK(world.events("user.registered").size() == 1);
}

TEST_CASE("of several who want one name at the same moment one gets it") {
  World world;
  std::vector<Result<Tokens>> answers;
  for (int count = 0; count < 4; ++count) {
    Register request;
    request.username = "wanted";
    request.password = good_password;
    boost::asio::co_spawn(world.kernel.shards->executor(0), world.accounts.on(world.outside(), request),
                          [&](const std::exception_ptr&, Result<Tokens> answer) { answers.push_back(std::move(answer)); });
  }
  world.kernel.shards->run_until([&] { return answers.size() == 4; });
  CHECK(std::count_if(answers.begin(), answers.end(), [](const auto& answer) { return answer.has_value(); }) == 1);
  for (const auto& answer : answers)
    if (!answer) CHECK(answer.error().code == Errc::conflict);
}

TEST_CASE("where registration is closed or by invite, nobody registers without one, and it is written down") {
  for (const char* mode : {"closed", "invite"}) {
    World world;
    world.parts->settings.registration = mode;
    CHECK(code_of(world.register_as("ada")) == Errc::forbidden);
    CHECK(world.directory->made.empty());
    CHECK(world.audit("register.refused").size() == 1);
  }
}

TEST_CASE("a display name that user refuses leaves no account behind and the name free") {
  World world;
  world.directory->refusals.push_back(wrong_field("/display_name", "has no control or direction characters"));
  Register request;
  request.username = "ada";
  request.password = good_password;
  request.display_name =
      "a\xE2\x80\xAE"
      "b";
  const auto refused = world.wait(world.accounts.on(world.outside(), request));
  CHECK(pointer_of(refused) == "/display_name");
  CHECK(world.directory->made[0].display_name == *request.display_name);
  CHECK(world.register_as("ada"));
}

TEST_CASE("a display name that no store takes is refused before an account is made") {
  World world;
  Register request;
  request.username = "ada";
  request.password = good_password;
  request.display_name = std::string("a\0b", 3);
  CHECK(pointer_of(world.wait(world.accounts.on(world.outside(), request))) == "/display_name");
  CHECK(world.directory->made.empty());
  CHECK(world.register_as("ada"));
}

TEST_CASE("what a crash left between account and profile, the next login completes") {
  World world;
  world.directory->refusals.push_back(Error(Errc::unavailable, "away"));
  Register request;
  request.username = "ada";
  request.password = good_password;
  request.display_name = "Ada L.";
  CHECK(code_of(world.wait(world.accounts.on(world.outside(), request))) == Errc::unavailable);
  CHECK(world.events("user.registered").empty());
  world.start();
  const auto tokens = world.login("ada");
  REQUIRE(tokens);
  REQUIRE(world.directory->made.size() == 2);
  CHECK(world.directory->made[1].id == tokens->user.id);
  CHECK(world.directory->made[1].display_name == "Ada L.");
  CHECK(world.events("user.registered").size() == 1);
  REQUIRE(world.login("ada"));
  CHECK(world.directory->made.size() == 2);
  CHECK(world.events("user.registered").size() == 1);
}

TEST_CASE("an address given at registration is stored, and not verified") {
  World world;
  Register request;
  request.username = "ada";
  request.password = good_password;
  request.email = "Ada@Example.org";
  const auto tokens = world.wait(world.accounts.on(world.outside(), request)).value();
  const auto account = world.wait(world.accounts.on(world.with(tokens), GetAccount())).value();
  CHECK(account.email == "ada@example.org");
  CHECK_FALSE(account.email_verified);
  CHECK(account.roles == std::vector<std::string>{"member"});
  CHECK(code_of(world.login("ada@example.org")) == Errc::unauthenticated);  // counts once verified
}
