#include "live_service.hpp"
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include "message_service.hpp"
#include "pages.hpp"
#include "standing.hpp"

namespace loggia::chat {
namespace {

constexpr std::int64_t events_max = 1000;

/// Why nothing can be sent just now; none where something was, or each was refused for what it is.
std::optional<Error> away(const std::vector<SendAnswer>& answers) {
  std::optional<Error> out;
  for (const auto& answer : answers) {
    if (answer.sent) return std::nullopt;
    if (auto error = error_of(*answer.refused); error.code == Errc::unavailable) out = std::move(error);
  }
  return out;
}

}  // namespace

Async<Sent> LiveService::on(Context context, SendNow request) {
  auto draft = drafted(chat_, sending_of(request.room, std::move(request)));
  if (draft && needs_asking(chat_, *draft)) draft = co_await asked_for(&chat_, context, std::move(*draft));
  if (!draft) co_return draft.error();
  co_return co_await post(std::move(context), std::move(*draft));
}

Async<SentInOrder> LiveService::on(Context context, SendInOrder request) {
  static_assert(sends_at_once == 64);
  if (request.items.empty() || request.items.size() > sends_at_once) co_return wrong_field("/items", "has 1 to 64 entries");
  SentInOrder out;
  out.answers.resize(request.items.size());
  Ready ready;
  for (std::size_t at = 0; at < request.items.size(); ++at) {
    auto draft = drafted(chat_, sending_of(request.room, std::move(request.items[at])));
    if (draft && needs_asking(chat_, *draft)) {
      auto before = std::exchange(ready, Ready());
      co_await post_all(context, std::move(before), out);  // before anything is asked for this one
      draft = co_await asked_for(&chat_, context, std::move(*draft));
    }
    if (draft) ready.emplace_back(at, std::move(*draft));
    else out.answers[at].refused = refused_of(draft.error());
  }
  co_await post_all(context, std::move(ready), out);
  if (auto error = away(out.answers)) co_return std::move(*error);
  co_return out;
}

/// The store's one writer takes them in the order in which they begin.
boost::asio::awaitable<void> LiveService::post_all(Context context, Ready ready, SentInOrder& out) {
  namespace asio = boost::asio;
  if (ready.empty()) co_return;
  const auto executor = co_await asio::this_coro::executor;
  using Begun = decltype(asio::co_spawn(executor, post(context, Draft()), asio::deferred));
  std::vector<Begun> begun;
  begun.reserve(ready.size());
  for (auto& [at, draft] : ready) begun.push_back(asio::co_spawn(executor, post(context, std::move(draft)), asio::deferred));
  auto all = asio::experimental::make_parallel_group(std::move(begun));
  auto done = co_await all.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  for (const auto& thrown : std::get<1>(done))
    if (thrown) std::rethrow_exception(thrown);
  for (std::size_t number = 0; number < ready.size(); ++number) {
    const auto& sent = std::get<2>(done)[number];
    auto& answer = out.answers[ready[number].first];
    if (sent) answer.sent = *sent;
    else answer.refused = refused_of(sent.error());
  }
}

Async<Sent> LiveService::post(Context context, Draft draft) {
  const auto asker = asker_of(context);
  const auto sent = std::make_shared<const Draft>(std::move(draft));
  const auto foreseen = std::make_shared<Foreseen>();
  auto ahead = [this, asker, sent, foreseen](Transaction& transaction) { foresee_message(transaction, chat_.desk(), asker, *sent, *foreseen); };
  auto make = [this, asker, sent, foreseen](Transaction& transaction, const Cause& cause) -> Result<Sent> {
    const auto posted = post_message(transaction, chat_.desk(), asker, *sent, cause, foreseen.get());
    if (!posted) return posted.error();
    Sent out;
    out.id = posted->message.id;
    out.seq = posted->message.seq;
    out.created_at = posted->message.created_at;
    return out;
  };
  co_return co_await chat_.written(std::move(context), std::move(make), std::move(ahead));
}

Async<Changed> LiveService::on(Context context, EditNow request) {
  const auto asker = asker_of(context);
  auto wording = co_await reworded(&chat_, context, request.room, std::move(request.text));
  if (!wording) co_return wording.error();
  auto make = [this, asker, room = request.room, seq = request.seq, wording = std::move(*wording)](Transaction& transaction,
                                                                                                   const Cause& cause) -> Result<Changed> {
    const auto edited = edit_message(transaction, chat_.desk(), asker, room, seq, wording.text, wording.mentions, cause);
    if (!edited) return edited.error();
    Changed out;
    out.seq = edited->seq;
    return out;
  };
  co_return co_await chat_.written(std::move(context), std::move(make));
}

Async<Changed> LiveService::on(Context context, DeleteNow request) { return delete_now(&chat_, std::move(context), request.room, request.seq); }

Async<Changed> LiveService::on(Context context, ReactNow request) {
  return react_now(&chat_, std::move(context), request.room, request.seq, std::move(request.emoji), request.on);
}

Async<Hello> LiveService::on(Context context, GetHello request) {
  // A cursor of another epoch, or none that is ours, is as good as none.
  std::optional<std::int64_t> since;
  if (request.cursor && request.epoch == chat_.timeline.epoch())
    if (const auto number = number_in(*request.cursor)) since = *number;
  auto work = [user = request.user, since](Query& query) -> Result<Snapshot> { return snapshot(query, user, since); };
  auto found = co_await chat_.store->read(context, std::move(work));
  if (!found) co_return found.error();
  std::vector<UserId> peers;
  for (const auto& room : found->hello.rooms)
    if (room.peer) peers.push_back(room.peer->id);
  if (!peers.empty()) {
    auto people = co_await chat_.people.get(std::move(context), std::move(peers));
    if (!people) co_return people.error();
    for (auto& room : found->hello.rooms)
      if (room.peer) name_peer(*room.peer, *people);
  }
  found->hello.epoch = chat_.timeline.epoch();
  found->hello.cursor = cursor_of(found->change);
  co_return std::move(found->hello);
}

Async<Cursor> LiveService::on(Context context, GetCursor) {
  auto work = [](Query& query) -> Result<std::int64_t> { return newest_change(query); };
  auto newest = co_await chat_.store->read(context, std::move(work));
  if (!newest) co_return newest.error();
  Cursor out;
  out.epoch = chat_.timeline.epoch();
  out.cursor = cursor_of(*newest);
  co_return out;
}

Async<Standing> LiveService::on(Context context, GetStanding request) {
  auto work = [request](Query& query) -> Result<Standing> {
    auto found = standing_of(query, request.room, request.user);
    if (!found) return no_such_room();
    return std::move(*found);
  };
  auto standing = co_await chat_.store->read(context, std::move(work));
  if (!standing || !standing->peer) co_return standing;
  std::vector<UserId> one(1, standing->peer->id);
  auto people = co_await chat_.people.get(std::move(context), std::move(one));
  if (!people) co_return people.error();
  name_peer(*standing->peer, *people);
  co_return standing;
}

Async<Events> LiveService::on(Context context, ReadTimeline request) {
  const auto limit = std::clamp<std::int64_t>(request.limit, 1, events_max);
  auto work = [request, limit](Query& query) -> Result<Events> { return frames_after(query, request.room, request.after, limit); };
  co_return co_await chat_.store->read(context, std::move(work));
}

Async<Absence> LiveService::on(Context context, GetAbsence request) {
  auto work = [request](Query& query) -> Result<Absence> {
    Absence out;
    out.why = why_absent(query, request.room, request.user);
    return out;
  };
  co_return co_await chat_.store->read(context, std::move(work));
}

Async<Audience> LiveService::on(Context context, GetAudience request) {
  auto work = [request](Query& query) -> Result<std::vector<UserId>> { return near(query, request.user); };
  auto found = co_await chat_.store->read(context, std::move(work));
  if (!found) co_return found.error();
  auto blocked = co_await chat_.people.blocked(std::move(context), request.user);
  if (!blocked) co_return blocked.error();
  Audience out;
  for (const auto& id : *found)
    if (std::find(blocked->begin(), blocked->end(), id) == blocked->end()) out.ids.push_back(id);
  co_return out;
}

}  // namespace loggia::chat
