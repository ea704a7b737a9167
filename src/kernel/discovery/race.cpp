#include "discovery/race.hpp"
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace loggia::discovery {

namespace asio = boost::asio;

namespace {
bool may_have_worked(const Race::Leg& leg) { return !leg.result || !not_begun(leg.reach); }
}  // namespace

bool worth_retrying(const Result<Answer>& result) {
  if (result) return false;
  const auto code = result.error().code;
  return code == Errc::unavailable || code == Errc::outcome_unknown || code == Errc::timeout;
}

Race::Race(Executor executor) : executor_{std::move(executor)}, wake_{executor_, asio::steady_timer::time_point::max()} {}

std::shared_ptr<Race::Leg> Race::add(PeerPtr peer) {
  auto leg = std::make_shared<Leg>();
  leg->peer = std::move(peer);
  legs_.push_back(leg);
  return leg;
}

void Race::finish(Leg& leg, Result<Answer> result) {
  leg.result.emplace(std::move(result));
  wake();
}

void Race::lose(const PeerPtr& peer) {
  asio::post(executor_, [self = shared_from_this(), peer] {
    for (const auto& leg : self->legs_)
      if (leg->peer == peer && !leg->result) leg->lost = true;
    self->wake();
  });
}

void Race::hasten() {
  hasty_ = true;
  wake();
}

void Race::wake() {
  news_ = true;
  wake_.cancel();
}

asio::awaitable<void> Race::news() {
  boost::system::error_code woken;
  while (!news_) co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  news_ = false;
}

std::optional<Result<Answer>> Race::answer(bool changes) const {
  const auto in_doubt = [](const auto& leg) {
    return !leg->result || (!*leg->result && (leg->result->error().code == Errc::outcome_unknown || leg->result->error().code == Errc::timeout));
  };
  for (const auto& leg : legs_) {
    if (!leg->result || worth_retrying(*leg->result)) continue;
    if (changes && !*leg->result && std::any_of(legs_.begin(), legs_.end(), in_doubt))
      return Error(Errc::outcome_unknown, "an instance gave no answer, and another one refuses it now: it may or may not have happened");
    return *leg->result;
  }
  return std::nullopt;
}

bool Race::running() const {
  return std::any_of(legs_.begin(), legs_.end(), [](const auto& leg) { return !leg->result; });
}

int Race::reached() const {
  return static_cast<int>(std::count_if(legs_.begin(), legs_.end(), [](const auto& leg) { return may_have_worked(*leg); }));
}

bool Race::last_reached() const { return may_have_worked(*legs_.back()); }

bool Race::wants_another() {
  if (std::exchange(hasty_, false)) return true;
  return std::none_of(legs_.begin(), legs_.end(), [](const auto& leg) { return !leg->result && !leg->lost; });
}

Result<Answer> Race::failure(bool changes) const {
  if (changes)
    for (const auto doubt : {Errc::outcome_unknown, Errc::timeout})
      for (const auto& leg : legs_)
        if (leg->result && leg->result->error().code == doubt) return *leg->result;
  for (auto leg = legs_.rbegin(); leg != legs_.rend(); ++leg) {
    if (!(*leg)->result) continue;
    // Of what only reads nothing is unknown.
    if (!changes && (*leg)->result->error().code == Errc::outcome_unknown) return Error(Errc::unavailable, "the module gave no answer");
    return *(*leg)->result;
  }
  return Error(Errc::unavailable, "the module cannot be reached");
}

}  // namespace loggia::discovery
