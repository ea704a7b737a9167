#include "contract/exercise.hpp"
#include "loggia/user/contract.hpp"

namespace loggia::contract::of_user {
namespace {

using namespace loggia::user;

CreateProfile profile(int number, std::string display_name = std::string()) {
  CreateProfile out;
  out.id = person(number);
  out.username = name_of(number);
  out.display_name = std::move(display_name);
  return out;
}
GetUserByName named(std::string name) {
  GetUserByName out;
  out.username = std::move(name);
  return out;
}

void cases(Exercise& exercise) {
  Asker<Users> users(exercise);
  Asker<Directory> directory(exercise);
  const auto auth = exercise.module("auth"), ada = exercise.as(1), bob = exercise.as(2), cid = exercise.as(3), stranger = exercise.as(4);

  directory.good(auth, profile(1, "Ada \"the first\" – ü"));
  directory.good(auth, profile(2));
  directory.good(auth, profile(2));
  directory.good(auth, profile(3));
  auto again = profile(4);
  again.username = "ADA";
  directory.bad(Errc::conflict, auth, again);
  directory.bad(Errc::invalid_request, auth, profile(4, "\x01"));

  GetPeople people;
  people.ids = {person(1), person(4), person(2)};
  CHECK(directory.good(auth, people).items.size() == 2);
  people.ids.assign(1001, person(1));
  directory.bad(Errc::invalid_request, auth, people);
  FindPeople find;
  find.usernames = {"Bob", "nobody", "a/b", ""};
  CHECK(directory.good(auth, find).items.size() == 1);
  find.usernames.assign(1001, "ada");
  directory.bad(Errc::invalid_request, auth, find);

  users.good(ada, GetMe());
  users.bad(Errc::not_found, stranger, GetMe());
  UpdateMe update;
  update.display_name = "Ada L.";
  update.bio = "two\nlines \\ \"and\" 😀";
  update.time_zone = "Europe/Berlin";
  update.show_receipts = false;
  users.good(ada.keyed("a key"), update);
  users.good(ada.keyed("a key"), update);
  auto other = update;
  other.bio = "";
  users.bad(Errc::invalid_request, ada.keyed("a key"), other);
  UpdateMe wrong;
  wrong.locale = "no such";
  wrong.time_zone = "Nowhere/At all";
  users.bad(Errc::invalid_request, ada, wrong);

  ListUsers list;
  list.limit = 1;
  const auto first = users.good(ada, list);
  REQUIRE(first.next.has_value());
  list.cursor = first.next;
  users.good(ada, list);
  list.cursor = "&=%";
  users.bad(Errc::invalid_request, ada, list);
  ListUsers search;
  search.query = "a+b & c%20";
  users.good(bob, search);

  GetUser get;
  get.id = person(2);
  users.good(ada, get);
  get.id = person(4);
  users.bad(Errc::not_found, ada, get);
  users.good(cid, named("BOB"));
  // What no path could carry.
  for (const char* name : {"", ".", "..", "a/b", "me", "%2e", "ü"}) users.bad(Errc::not_found, cid, named(name));

  BlockUser block;
  block.user = person(3);
  users.good(bob, block);
  block.user = person(2);
  users.bad(Errc::invalid_request, bob, block);
  ListBlocks blocks;
  CHECK(users.good(bob, blocks).items.size() == 1);
  blocks.cursor = "none";
  users.bad(Errc::invalid_request, bob, blocks);
  GetBlocked blocked;
  blocked.user = person(3);
  CHECK(directory.good(auth, blocked).ids.size() == 1);
  UnblockUser unblock;
  unblock.user = person(3);
  users.good(bob, unblock);
  CHECK(directory.good(auth, blocked).ids.empty());

  users.late(bob, unblock);
  directory.late(auth, blocked);
}

const Contract contract("user", routes_of<Users, Directory>(), &cases);

TEST_CASE("user answers alike here, serialised and over mTLS") { run_three_ways(contract); }

}  // namespace
}  // namespace loggia::contract::of_user
