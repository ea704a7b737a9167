#include "contract/exercise.hpp"
#include "loggia/auth/contract.hpp"

namespace loggia::contract::of_auth {
namespace {

using namespace loggia::auth;

constexpr const char* good_password = "correct horse battery";

Register registration(std::string username) {
  Register out;
  out.username = std::move(username);
  out.password = good_password;
  return out;
}
Login login(std::string name, std::string password) {
  Login out;
  out.login = std::move(name);
  out.password = std::move(password);
  return out;
}
Refresh refresh(std::optional<std::string> token) {
  Refresh out;
  out.refresh_token = std::move(token);
  return out;
}

void sessions_and_passwords(Exercise& exercise) {
  Asker<Accounts> accounts(exercise);
  const auto outside = exercise.outside();

  auto ada = registration("ada");
  ada.email = "ada@example.org";
  ada.display_name = "Ada – \"ü\"";
  const auto first = accounts.good(outside, ada);
  accounts.bad(Errc::conflict, outside, registration("ADA"));
  auto wrong = registration("-");
  wrong.password = "short";
  wrong.email = "nowhere";
  accounts.bad(Errc::invalid_request, outside, wrong);
  auto refused = registration("refused");
  refused.display_name = "nobody";
  accounts.bad(Errc::invalid_request, outside, refused);

  const auto second = accounts.good(outside, login("Ada", good_password));
  accounts.bad(Errc::unauthenticated, outside, login("ada", "wrong horse battery"));
  accounts.bad(Errc::unauthenticated, outside, login("nobody", good_password));

  Validate validate;
  validate.token = second.access_token;
  const auto state = accounts.good(outside, validate);
  CHECK(state.active);
  validate.token = "no token";
  CHECK_FALSE(accounts.good(outside, validate).active);
  exercise.never_refuses(Validate::route);  // it says `active: false`

  Caller caller;
  caller.subject = Uuid(first.user.id);
  caller.session = Uuid(state.session.value());
  caller.username = "ada";
  caller.roles.emplace_back("member");
  const auto me = outside.as(caller), stranger = exercise.as(4);

  const auto renewed = accounts.good(outside.keyed("k 1"), refresh(second.refresh_token));
  accounts.good(outside.keyed("k 1"), refresh(second.refresh_token));
  accounts.bad(Errc::unauthenticated, outside, refresh(std::nullopt));
  accounts.bad(Errc::unauthenticated, outside, refresh("no token"));

  ListSessions list;
  list.limit = 1;
  const auto page = accounts.good(me, list);
  REQUIRE(page.next.has_value());
  CHECK(page.items.at(0).current);
  list.cursor = page.next;
  const auto rest = accounts.good(me, list);
  list.cursor = "not one";
  accounts.bad(Errc::invalid_request, me, list);

  accounts.good(me, GetAccount());
  accounts.bad(Errc::not_found, stranger, GetAccount());

  PutAccount put;
  put.email = "Ada+chat@Example.org";
  CHECK(accounts.good(me, put).email == "ada+chat@example.org");
  accounts.bad(Errc::not_found, stranger, put);
  put.email = "nowhere";
  accounts.bad(Errc::invalid_request, me, put);
  CHECK_FALSE(accounts.good(me, PutAccount()).email);
  VerifyEmail verify;
  verify.token = "no link of ours";
  accounts.bad(Errc::invalid_request, outside, verify);
  ForgotPassword forgot;
  forgot.email = "ada@example.org";
  accounts.good(outside, forgot);
  ResetPassword reset;
  reset.token = "no link of ours";
  reset.new_password = "another horse battery";
  accounts.bad(Errc::invalid_request, outside, reset);
  exercise.never_answers(VerifyEmail::route);
  exercise.never_answers(ResetPassword::route);

  Asker<Mailboxes> mailboxes(exercise);
  GetMailbox mailbox;
  mailbox.user = first.user.id;
  CHECK_FALSE(mailboxes.good(exercise.module("notification"), mailbox).address);
  mailbox.user = person(4);
  mailboxes.bad(Errc::not_found, exercise.module("notification"), mailbox);

  Asker<Trust> trust(exercise);
  GetTrust ask_trust;
  CHECK(trust.good(exercise.module("gateway"), ask_trust).keys.text.find("\"kid\"") != std::string::npos);
  exercise.never_refuses(GetTrust::route);

  ChangePassword change;
  change.current_password = "wrong horse battery";
  change.new_password = "another horse battery";
  accounts.bad(Errc::invalid_request, me, change);
  change.current_password = good_password;
  accounts.good(me, change);
  accounts.good(outside, login("ada", "another horse battery"));

  RevokeSession revoke;
  revoke.id = rest.items.at(0).id;
  accounts.bad(Errc::not_found, me, revoke);  // the change of password ended it
  revoke.id = accounts.good(me, ListSessions()).items.at(0).id;
  accounts.good(me, revoke);

  Logout logout;
  logout.refresh_token = renewed.refresh_token;
  accounts.good(outside, logout);
  accounts.bad(Errc::unauthenticated, outside, Logout());
}

void administration(Exercise& exercise) {
  Asker<Accounts> accounts(exercise);
  Asker<Administration> administration(exercise);
  const auto admin = exercise.as(Uuid(person(1)), "root", std::vector<std::string>(1, "admin"));
  const auto bob = accounts.good(exercise.outside(), registration("bob")).user;

  ListAccounts list;
  list.limit = 1;
  const auto page = administration.good(admin, list);
  REQUIRE(page.next.has_value());
  list.cursor = page.next;
  administration.good(admin, list);
  list.cursor = "&=%";
  administration.bad(Errc::invalid_request, admin, list);

  UpdateAccount update;
  update.id = bob.id;
  update.roles = std::vector<std::string>{"member", "admin"};
  CHECK(administration.good(admin, update).roles.size() == 2);
  UpdateAccount disable;
  disable.id = bob.id;
  disable.disabled = true;
  administration.bad(Errc::conflict, admin, disable);  // the last administrator
  disable.id = UserId(person(4));
  administration.bad(Errc::not_found, admin, disable);

  EndSessions end;
  end.id = bob.id;
  administration.good(admin, end);
  end.id = UserId(person(4));
  administration.bad(Errc::not_found, admin, end);

  RecordAudit record;
  record.action = "room.exported";
  record.detail = "what\nwas done";
  administration.good(exercise.module("gateway"), record);
  ListAudit audit;
  audit.action = "room.exported";
  const auto entries = administration.good(admin, audit);
  REQUIRE(entries.items.size() == 1);
  CHECK(entries.items[0].address == exercise.outside().address());
  ListAudit all;
  all.since = entries.items[0].at;
  all.limit = 2;
  administration.good(admin, all);
  all.cursor = "none";
  administration.bad(Errc::invalid_request, admin, all);
  administration.late(exercise.module("gateway"), record);
}

void cases(Exercise& exercise) {
  sessions_and_passwords(exercise);
  administration(exercise);
  // At the end, where no time has to be the same any more.
  ForgotPassword forgot;
  forgot.email = "ada@example.org";
  Asker<Accounts>(exercise).late(exercise.outside(), forgot);
}

const Contract contract("auth", routes_of<Accounts, Administration, Mailboxes, Trust>(), &cases);

TEST_CASE("auth answers alike here, serialised and over mTLS") { run_three_ways(contract); }

}  // namespace
}  // namespace loggia::contract::of_auth
