#include "room_policy.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::chat;

namespace {

std::string verdict(Kind kind, Rank rank, Act act, bool archived = false, bool admin = false, bool guest = false) {
  const auto said = may(kind, archived, Actor{rank, admin, guest}, act);
  return said ? "yes" : std::string(fault(said.error().code).code);
}

struct Row {
  Act act;
  Kind kind;
  const char* of[4];  // none, member, moderator, owner
};

}  // namespace

TEST_CASE("ranks decide who may do what, in each kind of room") {
  constexpr const char *yes = "yes", *no = "forbidden", *gone = "not_found", *never = "conflict";
  const Row table[] = {
      {Act::describe, Kind::open, {yes, yes, yes, yes}},
      {Act::describe, Kind::closed, {gone, yes, yes, yes}},
      {Act::describe, Kind::direct, {gone, yes, yes, yes}},
      {Act::read, Kind::open, {no, yes, yes, yes}},
      {Act::read, Kind::closed, {gone, yes, yes, yes}},
      {Act::send, Kind::open, {no, yes, yes, yes}},
      {Act::send, Kind::closed, {gone, yes, yes, yes}},
      {Act::send, Kind::direct, {gone, yes, yes, yes}},
      {Act::react, Kind::open, {no, yes, yes, yes}},
      {Act::add, Kind::open, {no, yes, yes, yes}},
      {Act::add, Kind::closed, {gone, no, yes, yes}},
      {Act::add, Kind::direct, {gone, never, never, never}},
      {Act::grant, Kind::open, {no, no, no, yes}},
      {Act::grant, Kind::closed, {gone, no, no, yes}},
      {Act::leave, Kind::open, {no, yes, yes, yes}},
      {Act::leave, Kind::direct, {gone, never, never, never}},
      {Act::pin, Kind::closed, {gone, no, yes, yes}},
      {Act::pin, Kind::direct, {gone, yes, yes, yes}},
      {Act::moderate, Kind::open, {no, no, yes, yes}},
      {Act::moderate, Kind::closed, {gone, no, yes, yes}},
      {Act::moderate, Kind::direct, {gone, no, no, yes}},
      {Act::remove, Kind::open, {no, no, yes, yes}},
      {Act::ban, Kind::closed, {gone, no, yes, yes}},
      {Act::ban, Kind::direct, {gone, never, never, never}},
      {Act::change, Kind::open, {no, no, no, yes}},
      {Act::change, Kind::closed, {gone, no, no, yes}},
      {Act::change, Kind::direct, {gone, never, never, never}},
      {Act::archive, Kind::open, {no, no, no, yes}},
      {Act::erase, Kind::closed, {gone, no, no, yes}},
      {Act::erase, Kind::direct, {gone, never, never, never}},
  };
  for (const auto& row : table)
    for (int rank = 0; rank < 4; ++rank) {
      CAPTURE(static_cast<int>(row.act));
      CAPTURE(static_cast<int>(row.kind));
      CAPTURE(rank);
      CHECK(verdict(row.kind, static_cast<Rank>(rank), row.act) == row.of[rank]);
    }
}

TEST_CASE("an archived room can be read, taken back and deleted, and takes nothing else") {
  for (const auto act : {Act::describe, Act::read, Act::archive, Act::erase}) CHECK(verdict(Kind::open, Rank::owner, act, true) == "yes");
  for (const auto act : {Act::send, Act::react, Act::add, Act::grant, Act::leave, Act::pin, Act::moderate, Act::remove, Act::ban, Act::change})
    CHECK(verdict(Kind::open, Rank::owner, act, true) == "conflict");
  CHECK(verdict(Kind::open, Rank::member, Act::pin, true) == "forbidden");
}

TEST_CASE("an administrator archives and deletes any room, deletes messages in public ones, and sees no private one") {
  for (const auto kind : {Kind::open, Kind::closed})
    for (const auto act : {Act::archive, Act::erase}) CHECK(verdict(kind, Rank::none, act, false, true) == "yes");
  CHECK(verdict(Kind::open, Rank::none, Act::moderate, false, true) == "yes");
  CHECK(verdict(Kind::closed, Rank::none, Act::moderate, false, true) == "not_found");
  CHECK(verdict(Kind::closed, Rank::none, Act::read, false, true) == "not_found");
  CHECK(verdict(Kind::open, Rank::none, Act::read, false, true) == "forbidden");
  CHECK(verdict(Kind::open, Rank::none, Act::change, false, true) == "forbidden");
  CHECK(verdict(Kind::direct, Rank::none, Act::erase, false, true) == "not_found");
}

TEST_CASE("a guest sees the rooms that they were added to and adds nobody") {
  CHECK(verdict(Kind::open, Rank::none, Act::describe, false, false, true) == "not_found");
  CHECK(verdict(Kind::open, Rank::none, Act::read, false, false, true) == "not_found");
  CHECK(verdict(Kind::open, Rank::member, Act::send, false, false, true) == "yes");
  CHECK(verdict(Kind::open, Rank::member, Act::add, false, false, true) == "forbidden");
}

TEST_CASE("nobody acts on someone of higher rank") {
  CHECK_FALSE(may_act_on(Rank::moderator, Rank::owner));
  CHECK_FALSE(may_act_on(Rank::member, Rank::moderator));
  CHECK(may_act_on(Rank::moderator, Rank::moderator));
  CHECK(may_act_on(Rank::owner, Rank::owner));
}

TEST_CASE("one joins public rooms that do not keep one out") {
  const Actor stranger;
  CHECK(may_join(Kind::open, false, stranger, false));
  CHECK(may_join(Kind::open, false, stranger, true).error().code == Errc::forbidden);
  CHECK(may_join(Kind::open, true, stranger, false).error().code == Errc::conflict);
  CHECK(may_join(Kind::closed, false, stranger, false).error().code == Errc::not_found);
  CHECK(may_join(Kind::direct, false, stranger, false).error().code == Errc::not_found);
  CHECK(may_join(Kind::direct, false, Actor{Rank::member, false, false}, false).error().code == Errc::conflict);
  CHECK(may_join(Kind::open, false, Actor{Rank::none, false, true}, false).error().code == Errc::not_found);
  CHECK(may_join(Kind::closed, false, Actor{Rank::member, false, false}, false));
}

TEST_CASE("kinds and ranks are read as they are named; what is no name is the least") {
  for (const auto kind : {Kind::open, Kind::closed}) CHECK(kind_of(name_of(kind)) == kind);
  CHECK(name_of(Kind::direct) == "direct");
  CHECK(kind_of("direct") == Kind::closed);  // nobody makes one by name
  for (const auto rank : {Rank::member, Rank::moderator, Rank::owner}) CHECK(rank_of(name_of(rank)) == rank);
  CHECK(name_of(Rank::none) == "none");
  CHECK(rank_of("Owner") == Rank::member);
}
