#include "bus/log_service.hpp"
#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include "bus/feed.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::bus {
namespace {

// Of an answer: some more where one event is large. A partition that is far behind leaves room for others.
constexpr std::size_t answer_bytes = 1u << 20, partition_events = 256;
constexpr std::size_t sweep_least = 32;
constexpr std::int64_t events_max = 2000, wait_max = 10000;

/// A process may what one of the modules in its certificate may.
template <class May> bool any_may(const Call& call, const May& may) { return !call.peer || std::any_of(call.peer->begin(), call.peer->end(), may); }

}  // namespace

/// One reader that has all there is. Told once, whoever is first: a commit, its time, or that nobody waits any more.
class LogService::Waiting {
 public:
  explicit Waiting(std::function<void()> done) : done_{std::move(done)} {}
  void tell() {
    if (!told_.exchange(true)) done_();
  }
  bool told() const { return told_; }

 private:
  std::function<void()> done_;
  std::atomic<bool> told_{false};
};

LogService::LogService(std::vector<std::shared_ptr<LogHere>> logs, std::shared_ptr<Shards> shards, BusRights rights,
                       std::function<void(const EventPtr&)> heard)
    : logs_{std::move(logs)}, shards_{std::move(shards)}, rights_{std::move(rights)}, heard_{std::move(heard)} {}

void LogService::mount(Router& router) {
  const auto on = [&](std::string_view route, Async<Answer> (LogService::*answer)(Call)) {
    RouteInfo info;
    info.route = route;
    info.access = Access::internal;
    info.has_body = true;
    router.on(info, [self = shared_from_this(), answer](const Context&, Call call) { return (*self.*answer)(std::move(call)); });
  };
  on(read_route, &LogService::read);
  on(signal_route, &LogService::hear);
}

void LogService::wake() {
  std::vector<std::shared_ptr<Waiting>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(waiting_);
  }
  for (const auto& one : all) one->tell();
}

std::size_t LogService::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void LogService::stop() {
  stopping_ = true;
  wake();
}

bool LogService::behind(const LogHere& log, const ReadLog& request) {
  for (const auto& topic : request.topics) {
    const auto heads = log.heads(topic.topic);
    for (std::size_t at = 0; at < std::min(heads.size(), topic.after.size()); ++at)
      if (topic.after[at] < heads[at]) return true;
  }
  return false;
}

/// Until there is something for this reader, or its time is over.
boost::asio::awaitable<void> LogService::news(const LogHere& log, const ReadLog& request) {
  namespace asio = boost::asio;
  auto home = co_await asio::this_coro::executor;
  Shards::Timer timer;
  const auto initiate = [&](auto handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto waiting = std::make_shared<Waiting>([home, shared] { asio::post(home, [shared] { std::move (*shared)(); }); });
    const std::weak_ptr weak(waiting);
    const auto tell = [weak](auto...) {
      if (const auto there = weak.lock()) there->tell();
    };
    if (slot.is_connected()) slot.assign(tell);
    {
      const std::lock_guard lock(mutex_);
      // Of a log to which nobody appends, those whose time is over go.
      if (waiting_.size() >= sweep_at_) {
        std::erase_if(waiting_, [](const auto& one) { return one->told(); });
        sweep_at_ = std::max(sweep_least, waiting_.size() * 2);
      }
      waiting_.push_back(waiting);
    }
    timer = shards_->after(shards_->current(), milliseconds(std::clamp<std::int64_t>(request.wait, 1, wait_max)), tell);
    if (stopping_ || behind(log, request)) waiting->tell();  // it came before this reader was in the list
  };
  auto told = asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
  co_await std::move(told);
  timer.reset();
}

Async<Answer> LogService::read(Call call) {
  const auto decoded = decode_text<ReadLog>(call.body, Manner::lenient);
  if (!decoded) co_return decoded.error();
  const auto& request = *decoded;
  for (const auto& topic : request.topics)
    if (!any_may(call, [&](const auto& caller) { return rights_.reads && rights_.reads(caller, request.module, topic.topic); }))
      co_return Error(Errc::forbidden, "this module may not read " + topic.topic + " from the log of " + request.module);
  const auto found = std::find_if(logs_.begin(), logs_.end(), [&](const auto& log) { return log->module() == request.module; });
  if (found == logs_.end()) co_return Error(Errc::not_found, "the log of " + request.module + " is not in this process");
  const auto log = *found;
  const bool asks = std::any_of(request.topics.begin(), request.topics.end(), [](const auto& topic) { return !topic.after.empty(); });
  if (asks && request.wait > 0 && !behind(*log, request)) {
    if (!stopping_) co_await news(*log, request);
    // Not an empty answer: who asks would ask again at once.
    if (stopping_ && !behind(*log, request)) co_return Error(Errc::unavailable, "the process is stopping; its log is asked again in a moment");
  }
  std::string events;
  auto gathered = co_await gather(log, request, events);
  if (!gathered) co_return gathered.error();
  LogState state;
  state.epoch = log->epoch();
  for (const auto& topic : request.topics) {
    auto& heads = state.topics.emplace_back();
    heads.topic = topic.topic;
    heads.heads = log->heads(topic.topic);
  }
  Answer answer;
  (answer.body = encode(state)) += '\n';
  answer.body += events;
  co_return answer;
}

/// What comes after, from memory or from rows, of each partition in turn.
Async<bool> LogService::gather(std::shared_ptr<LogHere> log, const ReadLog& request, std::string& out) {
  const auto limit = static_cast<std::size_t>(std::clamp<std::int64_t>(request.limit, 1, events_max));
  const auto first = turn_.fetch_add(1);
  std::size_t taken = 0;
  for (const auto& topic : request.topics) {
    if (!log->has(topic.topic)) continue;
    LogFeed feed(log, topic.topic);
    const auto heads = log->heads(topic.topic);
    const auto count = std::min(heads.size(), topic.after.size());
    for (std::size_t step = 0; step < count; ++step) {
      const auto at = (first + step) % count;
      const auto after = topic.after[at];
      if (after >= heads[at]) continue;
      const auto most = std::min(partition_events, limit - taken);
      auto page = co_await feed.next(static_cast<int>(at), after, most);
      if (!page) co_return page.error();
      for (const auto& event : page->events) append_line(out, *event);
      taken += page->events.size();
      if (taken >= limit || out.size() >= answer_bytes) co_return true;
    }
  }
  co_return true;
}

Async<Answer> LogService::hear(Call call) {
  std::string_view text = call.body;
  std::string refused;  // the others are heard all the same
  while (!text.empty()) {
    auto event = event_of_line(take_line(text));
    if (!event) co_return event.error();
    const auto& topic = (*event)->topic;
    if (!any_may(call, [&](const auto& caller) { return rights_.says && rights_.says(caller, topic); })) refused = topic;
    else if ((*event)->sequence == 0) heard_(*event);
  }
  if (!refused.empty()) co_return Error(Errc::forbidden, "this module may not send signals of " + refused);
  Answer answer;
  answer.status = 204;
  co_return answer;
}

}  // namespace loggia::bus
