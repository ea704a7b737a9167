#pragma once
// Who is who: accounts, sessions, tokens, roles. The only module that sees a password.
#include <functional>
#include <memory>
#include <optional>
#include <vector>
#include "loggia/ids.hpp"
#include "loggia/kernel/contract.hpp"

namespace loggia::auth {

struct AccountName {
  UserId id;
  std::string username;
};
BOOST_DESCRIBE_STRUCT(AccountName, (), (id, username))

/// The gateway turns `refresh_token` into a cookie where the request had `cookie: true`.
struct Tokens {
  AccountName user;
  std::string access_token, token_type;
  std::int64_t expires_in = 0;  // seconds
  std::optional<std::string> refresh_token;
};
BOOST_DESCRIBE_STRUCT(Tokens, (), (user, access_token, token_type, expires_in, refresh_token))

struct Register {
  using Reply = Tokens;
  static constexpr std::string_view route = "POST /auth/register";
  static constexpr Access access = Access::open;
  static constexpr std::string_view summary = "Make an account and sign in.";
  static constexpr Rule rules[] = {length("username", 1, 100), length("password", 1, 1024), length("email", 3, 254), length("display_name", 1, 64)};
  std::string username, password;
  std::optional<std::string> email, display_name, invite;
  std::optional<bool> cookie;
};
BOOST_DESCRIBE_STRUCT(Register, (), (username, password, email, display_name, invite, cookie))

struct Login {
  using Reply = Tokens;
  static constexpr std::string_view route = "POST /auth/login";
  static constexpr Access access = Access::open;
  static constexpr int status = 200;
  static constexpr std::string_view summary = "Sign in.";
  static constexpr Rule rules[] = {length("login", 1, 254), length("password", 1, 1024)};
  std::string login, password;
  std::optional<std::string> totp;
  std::optional<bool> cookie;
};
BOOST_DESCRIBE_STRUCT(Login, (), (login, password, totp, cookie))

/// The gateway puts the cookie's token into `refresh_token` where there is none.
struct Refresh {
  using Reply = Tokens;
  static constexpr std::string_view route = "POST /auth/refresh";
  static constexpr Access access = Access::open;
  static constexpr int status = 200;
  static constexpr bool idempotent = true;  // 60 s: the same token and key get the same new token
  static constexpr std::string_view summary = "A new access token; each refresh token works once.";
  static constexpr Rule rules[] = {length("refresh_token", 1, 512)};
  std::optional<std::string> refresh_token;
};
BOOST_DESCRIBE_STRUCT(Refresh, (), (refresh_token))

/// Of the caller's session, or of the refresh token (which the gateway takes from the cookie alone).
struct Logout {
  using Reply = Nothing;
  static constexpr std::string_view route = "POST /auth/logout";
  static constexpr Access access = Access::open;
  static constexpr std::string_view summary = "End this session, of the access token or the cookie, and its live connections.";
  static constexpr std::string_view inner = "refresh_token";
  std::optional<std::string> refresh_token;
};
BOOST_DESCRIBE_STRUCT(Logout, (), (refresh_token))

struct TokenState {
  bool active = false;
  std::optional<UserId> sub;
  std::optional<std::string> username;
  std::optional<std::vector<std::string>> roles;
  std::optional<SessionId> session;
  std::optional<std::int64_t> exp;
};
BOOST_DESCRIBE_STRUCT(TokenState, (), (active, sub, username, roles, session, exp))
struct Validate {
  using Reply = TokenState;
  static constexpr std::string_view route = "POST /auth/validate";
  static constexpr Access access = Access::open;
  static constexpr int status = 200;
  static constexpr std::string_view summary = "Whether a token is active (RFC 7662).";
  static constexpr Rule rules[] = {length("token", 1, 8192)};
  std::string token;
};
BOOST_DESCRIBE_STRUCT(Validate, (), (token))

struct SessionInfo {
  SessionId id;
  bool current = false;
  std::string client, address;
  Time created_at{}, last_seen{};
};
BOOST_DESCRIBE_STRUCT(SessionInfo, (), (id, current, client, address, created_at, last_seen))
struct Sessions {
  std::vector<SessionInfo> items;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(Sessions, (), (items, next))
struct ListSessions {
  using Reply = Sessions;
  static constexpr std::string_view route = "GET /auth/sessions";
  static constexpr std::string_view summary = "My sessions.";
  static constexpr Rule rules[] = {range("limit", 1, 200), length("cursor", 1, 256)};
  std::optional<std::int64_t> limit;
  std::optional<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(ListSessions, (), (limit, cursor))
struct RevokeSession {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /auth/sessions/{id}";
  static constexpr std::string_view summary = "End one of my sessions.";
  SessionId id;
};
BOOST_DESCRIBE_STRUCT(RevokeSession, (), (id))

struct ChangePassword {
  using Reply = Nothing;
  static constexpr std::string_view route = "PUT /auth/password";
  static constexpr std::string_view summary = "Change my password; all other sessions end.";
  static constexpr Rule rules[] = {length("current_password", 1, 1024), length("new_password", 1, 1024)};
  std::string current_password, new_password;
};
BOOST_DESCRIBE_STRUCT(ChangePassword, (), (current_password, new_password))

struct Account {
  std::optional<std::string> email;
  bool email_verified = false;
  std::vector<std::string> roles;
  bool totp = false;
};
BOOST_DESCRIBE_STRUCT(Account, (), (email, email_verified, roles, totp))
struct GetAccount {
  using Reply = Account;
  static constexpr std::string_view route = "GET /auth/account";
  static constexpr std::string_view summary = "My account.";
};
BOOST_DESCRIBE_STRUCT(GetAccount, (), ())

/// Without an address, the account has none from then on. A new one has to be verified: a mail with a link goes there.
struct PutAccount {
  using Reply = Account;
  static constexpr std::string_view route = "PUT /auth/account";
  static constexpr std::string_view summary = "Change my mail address; it counts once the link in the mail was followed.";
  static constexpr int status = 200;
  static constexpr Rule rules[] = {length("email", 0, 254)};
  std::optional<std::string> email;
};
BOOST_DESCRIBE_STRUCT(PutAccount, (), (email))
struct VerifyEmail {
  using Reply = Nothing;
  static constexpr std::string_view route = "POST /auth/email/verify";
  static constexpr Access access = Access::open;  // the token is the proof; the mail may be read on another device
  static constexpr std::string_view summary = "Prove a mail address by the token that was sent there.";
  static constexpr Rule rules[] = {length("token", 1, 128)};
  std::string token;
};
BOOST_DESCRIBE_STRUCT(VerifyEmail, (), (token))

struct ForgotPassword {
  using Reply = Nothing;
  static constexpr std::string_view route = "POST /auth/password/forgot";
  static constexpr Access access = Access::open;
  static constexpr int status = 202;
  static constexpr std::string_view summary =
      "Ask for a mail with a link to a new password. The answer is the same whether the address is known or not.";
  static constexpr Rule rules[] = {length("email", 1, 254)};
  std::string email;
};
BOOST_DESCRIBE_STRUCT(ForgotPassword, (), (email))
struct ResetPassword {
  using Reply = Nothing;
  static constexpr std::string_view route = "POST /auth/password/reset";
  static constexpr Access access = Access::open;
  static constexpr std::string_view summary = "Choose a new password with the token of that mail; all sessions end.";
  static constexpr Rule rules[] = {length("token", 1, 128), length("new_password", 1, 1024)};
  std::string token, new_password;
};
BOOST_DESCRIBE_STRUCT(ResetPassword, (), (token, new_password))

using Accounts = Port<Register, Login, Refresh, Logout, Validate, ListSessions, RevokeSession, ChangePassword, GetAccount, PutAccount, VerifyEmail,
                      ForgotPassword, ResetPassword>;

// ---- for notification ----

/// Where mail for somebody goes. Nobody but their own account and the sender of the mail is to know it.
struct Mailbox {
  std::optional<std::string> address;  // only where it is verified and the account may sign in
  bool disabled = false;
};
BOOST_DESCRIBE_STRUCT(Mailbox, (), (address, disabled))
struct GetMailbox {
  using Reply = Mailbox;
  static constexpr std::string_view route = "GET /internal/accounts/{user}/mailbox";
  static constexpr Access access = Access::internal;
  UserId user;
};
BOOST_DESCRIBE_STRUCT(GetMailbox, (), (user))

using Mailboxes = Port<GetMailbox>;

// ---- for processes that check access tokens without asking ----

struct EndedSession {
  UserId user;
  SessionId session;
  Time until{};  // then its last access token is over anyway
};
BOOST_DESCRIBE_STRUCT(EndedSession, (), (user, session, until))

/// What a verifier elsewhere has to know beside the log: asked once the log's head is known, what happens meanwhile comes by the log.
struct Trusted {
  std::string issuer;
  std::int64_t token_lifetime = 0;  // milliseconds
  RawJson keys;                     // a JWK Set (RFC 7517)
  std::vector<EndedSession> ended;
  std::vector<UserId> disabled;
};
BOOST_DESCRIBE_STRUCT(Trusted, (), (issuer, token_lifetime, keys, ended, disabled))

struct GetTrust {
  using Reply = Trusted;
  static constexpr std::string_view route = "GET /auth/trust";
  static constexpr Access access = Access::internal;
};
BOOST_DESCRIBE_STRUCT(GetTrust, (), ())

using Trust = Port<GetTrust>;

// ---- administration ----

struct AdminUser {
  UserId id;
  std::string username;
  std::vector<std::string> roles;
  bool disabled = false;
  Time created_at{};
  std::optional<Time> last_login;
};
BOOST_DESCRIBE_STRUCT(AdminUser, (), (id, username, roles, disabled, created_at, last_login))
struct AdminUsers {
  std::vector<AdminUser> items;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(AdminUsers, (), (items, next))
struct ListAccounts {
  using Reply = AdminUsers;
  static constexpr std::string_view route = "GET /admin/users";
  static constexpr Access access = Access::admin;
  static constexpr std::string_view summary = "All accounts.";
  static constexpr Rule rules[] = {length("query", 0, 100), range("limit", 1, 200), length("cursor", 1, 256)};
  std::optional<std::string> query;
  std::optional<std::int64_t> limit;
  std::optional<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(ListAccounts, (), (query, limit, cursor))
struct UpdateAccount {
  using Reply = AdminUser;
  static constexpr std::string_view route = "PATCH /admin/users/{id}";
  static constexpr Access access = Access::admin;
  static constexpr std::string_view summary = "Change an account's roles, or disable it; its sessions end.";
  static constexpr Rule rules[] = {one_of("roles", "admin|member|guest|bot"), items("roles", 1, 4)};
  UserId id;
  std::optional<std::vector<std::string>> roles;
  std::optional<bool> disabled;
};
BOOST_DESCRIBE_STRUCT(UpdateAccount, (), (id, roles, disabled))
struct EndSessions {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /admin/users/{id}/sessions";
  static constexpr Access access = Access::admin;
  static constexpr std::string_view summary = "End all sessions of an account.";
  UserId id;
};
BOOST_DESCRIBE_STRUCT(EndSessions, (), (id))

struct AuditEntry {
  Time at{};
  std::optional<UserId> actor;
  std::string action;
  std::optional<std::string> target, address, detail;
};
BOOST_DESCRIBE_STRUCT(AuditEntry, (), (at, actor, action, target, address, detail))
struct AuditEntries {
  std::vector<AuditEntry> items;
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(AuditEntries, (), (items, next))
struct ListAudit {
  using Reply = AuditEntries;
  static constexpr std::string_view route = "GET /admin/audit";
  static constexpr Access access = Access::admin;
  static constexpr std::string_view summary = "Who did what, from where, when; newest first.";
  static constexpr Rule rules[] = {length("action", 1, 64), range("limit", 1, 200), length("cursor", 1, 256)};
  std::optional<UserId> actor;
  std::optional<std::string> action;
  std::optional<Time> since, until;
  std::optional<std::int64_t> limit;
  std::optional<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(ListAudit, (), (actor, action, since, until, limit, cursor))

/// For other modules: what they did or refused belongs into the one audit log.
struct RecordAudit {
  using Reply = Nothing;
  static constexpr std::string_view route = "POST /internal/audit";
  static constexpr Access access = Access::internal;
  static constexpr int status = 204;
  std::string action;
  std::optional<std::string> target, detail;
};
BOOST_DESCRIBE_STRUCT(RecordAudit, (), (action, target, detail))

using Administration = Port<ListAccounts, UpdateAccount, EndSessions, ListAudit, RecordAudit>;

}  // namespace loggia::auth
