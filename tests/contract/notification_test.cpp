#include "contract/exercise.hpp"
#include "loggia/notification/contract.hpp"

namespace loggia::contract::of_notification {
namespace {

using namespace loggia::notification;

void cases(Exercise& exercise) {
  Asker<Notifications> notifications(exercise);
  const auto bob = exercise.as(2), cid = exercise.as(3), stranger = exercise.as(4);

  notifications.good(bob, GetSettings());
  PutSettings put;
  put.default_ = "all";
  put.rooms[noted_room().text()] = "mentions";
  auto& hours = put.quiet_hours.emplace();
  hours.from = "22:00";
  hours.to = "07:30";
  put.email = true;
  notifications.good(cid, put);
  notifications.good(cid, GetSettings());
  put.quiet_hours->to = "25:00";
  put.rooms["~/ no room"] = "none";
  notifications.bad(Errc::invalid_request, cid, put);

  ListNotifications list;
  const auto mine = notifications.good(bob, list);
  REQUIRE(mine.items.size() == 1);
  CHECK_FALSE(mine.items[0].read);
  list.limit = 1;
  list.cursor = mine.items[0].id.text();
  notifications.good(bob, list);
  list.cursor = "not one";
  notifications.bad(Errc::invalid_request, bob, list);

  MarkNotificationsRead mark;
  notifications.bad(Errc::invalid_request, bob, mark);
  mark.ids.emplace(1, mine.items[0].id);
  notifications.good(bob, mark);
  CHECK(notifications.good(bob, ListNotifications()).items.at(0).read);
  MarkNotificationsRead all;
  all.all = true;
  notifications.good(cid, all);

  Explain explain;
  explain.room = noted_room();
  explain.seq = 1;
  CHECK(notifications.good(bob, explain).notified);
  explain.seq = 2;
  CHECK_FALSE(notifications.good(cid, explain).notified);
  notifications.bad(Errc::not_found, stranger, explain);
  explain.seq = 3;
  notifications.bad(Errc::not_found, bob, explain);

  exercise.never_refuses(GetSettings::route);  // what is in memory, or what stands where nothing is set
}

const Contract contract("notification", routes_of<Notifications>(), &cases);

TEST_CASE("notification answers alike here, serialised and over mTLS") { run_three_ways(contract); }

}  // namespace
}  // namespace loggia::contract::of_notification
