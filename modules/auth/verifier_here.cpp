#include "verifier_here.hpp"
#include <algorithm>
#include "tokens.hpp"

namespace loggia::auth {

Result<Verified> VerifierHere::verify(std::string_view token) const {
  if (token.size() > access_token_max) return Error(Errc::unauthenticated, "the access token is not valid");
  const auto now = clock_->now();
  auto claims = known_.find(token);
  if (claims) {
    // A key is dropped only when all that it has signed is over.
    if (const auto fine = check_times(*claims, now); !fine) return fine.error();
  } else {
    const auto find = [this](std::string_view kid) { return keys_->find(kid); };
    auto checked = check_access_token(token, find, issuer(), now);
    if (!checked) return checked.error();
    claims = known_.add(token, std::move(*checked));
  }
  {
    const std::shared_lock lock(mutex_);
    if (revoked_.contains(claims->session) || disabled_.contains(claims->subject))
      return Error(Errc::unauthenticated, "this session has ended; sign in again");
  }
  Verified out;
  out.caller.subject = Uuid(claims->subject);
  out.caller.session = Uuid(claims->session);
  out.caller.username = claims->username;
  out.caller.roles = claims->roles;
  out.expires = claims->expires;
  return out;
}

void VerifierHere::revoked(const UserId& user, const SessionId& session, Time until, bool tell_watchers) {
  {
    const std::unique_lock lock(mutex_);
    const auto [known, added] = revoked_.try_emplace(session, Ended{user, until});
    known->second.until = std::max(known->second.until, until);
    if (!added) return;
  }
  if (tell_watchers) watchers_.tell(user, session);
}

void VerifierHere::disabled(const UserId& user, bool tell_watchers) {
  {
    const std::unique_lock lock(mutex_);
    if (!disabled_.insert(user).second) return;
  }
  if (tell_watchers) watchers_.tell(user, SessionId());
}

std::string VerifierHere::issuer() const {
  const std::shared_lock lock(mutex_);
  return issuer_;
}

void VerifierHere::issued_by(std::string issuer) {
  const std::unique_lock lock(mutex_);
  issuer_ = std::move(issuer);
}

void VerifierHere::enabled(const UserId& user) {
  const std::unique_lock lock(mutex_);
  disabled_.erase(user);
}

std::vector<EndedSession> VerifierHere::ended_sessions() const {
  std::vector<EndedSession> out;
  const std::shared_lock lock(mutex_);
  out.reserve(revoked_.size());
  for (const auto& [session, ended] : revoked_) {
    auto& one = out.emplace_back();
    one.user = ended.user;
    one.session = session;
    one.until = ended.until;
  }
  return out;
}

std::vector<UserId> VerifierHere::disabled_users() const {
  const std::shared_lock lock(mutex_);
  return std::vector<UserId>(disabled_.begin(), disabled_.end());
}

void VerifierHere::forget(Time now) {
  known_.forget(now);
  const std::unique_lock lock(mutex_);
  std::erase_if(revoked_, [&](const auto& one) { return one.second.until <= now; });
}

}  // namespace loggia::auth
