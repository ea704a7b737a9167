#include "bus/log_elsewhere.hpp"
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <limits>
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::bus {
namespace {

// A question waits so long there: whoever decides by the silence of a module (5 s) hears of it in time.
constexpr milliseconds wait_there(2000), heads_every(200), answer_limit(5000), ask_again_first(20), ask_again_max(1000);
constexpr std::int64_t page_of_events = 1000;
constexpr std::size_t tail_bytes = 256u << 10;  // of each partition

}  // namespace

LogElsewhere::LogElsewhere(Options options) : options_{std::move(options)} {
  for (const auto* topics : {&options_.topics, &options_.heads_of})
    for (const auto& topic : *topics) lanes_[topic].resize(static_cast<std::size_t>(options_.partitions));
}

Result<bool> LogElsewhere::start(milliseconds limit) {
  tasks_.spawn(options_.shards->executor(std::hash<std::string>()(options_.module) % options_.shards->size()), "log." + options_.module, run());
  const bool begun = begun_.wait(limit);
  {
    const std::lock_guard lock(mutex_);
    if (!refused_.empty()) return Error(Errc::invalid_request, refused_);
  }
  if (!begun) return Error(Errc::unavailable, not_begun());
  return true;
}

std::string LogElsewhere::not_begun() const {
  const std::lock_guard lock(mutex_);
  const auto head = "The module " + options_.module;
  if (forbidden_.empty()) return head + " does not answer. Start it, or correct where discovery.peers says that it is; its log is read from there.";
  return head + " does not let this process read its log: " + forbidden_ +
         ". The certificate here (rpc.tls.certificate) has to name every module of process.modules, and that process has to be of this release or a "
         "neighbouring one.";
}

/// Said once: who waits for a start sees what it waits for.
void LogElsewhere::refused(const Error& error) {
  const std::lock_guard lock(mutex_);
  auto now = error.code == Errc::forbidden ? error.detail : std::string();
  if (!now.empty() && now != forbidden_) log::warn("bus.log_refused", Field("module", options_.module), Field("why", now));
  forbidden_ = std::move(now);
}

void LogElsewhere::stop() {
  tasks_.cancel();
  tasks_.wait(milliseconds(10000));
}

void LogElsewhere::answered() { answered_at_ = std::chrono::duration_cast<milliseconds>(options_.clock->moment().time_since_epoch()).count(); }

milliseconds LogElsewhere::silent_for() const {
  return std::chrono::duration_cast<milliseconds>(options_.clock->moment().time_since_epoch()) - milliseconds(answered_at_.load());
}

Async<LogAnswer> LogElsewhere::ask(ReadLog request, milliseconds limit) {
  Context context;
  context = context.until(options_.clock->moment() + limit);
  Call call;
  call.route = read_route;
  call.body = encode(request);
  call.repeatable = true;  // it only reads: where the instance hangs, another one is asked
  auto answer = co_await options_.transport->send(context, std::move(call));
  if (!answer) co_return answer.error();
  auto read = answer_of_text(answer->body);
  if (read) answered();
  co_return read;
}

/// Everything here, from where it is; the heads alone at first.
ReadLog LogElsewhere::question() const {
  ReadLog request;
  request.module = options_.module;
  request.limit = page_of_events;
  request.wait = (options_.heads_of.empty() ? wait_there : heads_every).count();
  const std::lock_guard lock(mutex_);
  for (const auto& topic : options_.topics) {
    auto& one = request.topics.emplace_back();
    one.topic = topic;
    if (running_)
      for (const auto& lane : lanes_.find(topic)->second) one.after.push_back(lane.head);
  }
  for (const auto& topic : options_.heads_of) request.topics.emplace_back().topic = topic;
  return request;
}

Result<bool> LogElsewhere::begin(const LogState& state) {
  const std::lock_guard lock(mutex_);
  for (const auto& [topic, heads] : state.topics) {
    const auto found = lanes_.find(topic);
    if (found == lanes_.end()) continue;
    if (heads.size() != found->second.size()) {
      refused_ = "bus.partitions is " + std::to_string(found->second.size()) + " here and " + std::to_string(heads.size()) + " in the log of " +
                 options_.module + ": set the same for every process.";
      return Error(Errc::invalid_request, refused_);
    }
    for (std::size_t at = 0; at < heads.size(); ++at) found->second[at].head = heads[at];
  }
  epoch_ = state.epoch;
  return true;
}

boost::asio::awaitable<void> LogElsewhere::run() {
  auto backoff = ask_again_first;
  bool told = false;
  for (;;) {
    auto request = question();
    auto answer = co_await ask(std::move(request), wait_there + answer_limit);
    if (answer && (!running_ || answer->state.epoch != epoch_)) {
      if (running_) log::warn("bus.new_epoch", Field("module", options_.module));  // its past is another one: what comes from now on is heard
      auto begun = begin(answer->state);
      running_ = begun.has_value();
      begun_.count_down();
      if (!begun && options_.on_fatal) options_.on_fatal(begun.error().detail);
      if (!begun) co_return;
    } else if (answer) {
      take_heads(answer->state);
      take(std::move(*answer));
    }
    if (answer) {
      if (told) log::info("bus.module_answers", Field("module", options_.module));
      told = false;
      backoff = ask_again_first;
      if (!options_.topics.empty()) continue;
      auto paused = co_await sleep_for(heads_every);  // it was answered at once
      if (!paused) co_return;
      continue;
    }
    if (!running_) refused(answer.error());
    if (running_ && !told) log::warn("bus.module_silent", Field("module", options_.module), Field("why", answer.error().detail));
    told = running_;
    auto waited = co_await sleep_for(backoff);
    if (!waited) co_return;
    backoff = std::min(backoff * 2, ask_again_max);
  }
}

void LogElsewhere::take_heads(const LogState& state) {
  const std::lock_guard lock(mutex_);
  for (const auto& [topic, heads] : state.topics) {
    if (std::find(options_.heads_of.begin(), options_.heads_of.end(), topic) == options_.heads_of.end()) continue;
    auto& lanes = lanes_.find(topic)->second;
    for (std::size_t at = 0; at < std::min(heads.size(), lanes.size()); ++at) lanes[at].head = std::max(lanes[at].head, heads[at]);
  }
}

/// In memory are the newest: groups that keep up never ask for rows.
void LogElsewhere::keep(Lane& lane, const EventPtr& event) const {
  lane.head = event->sequence;
  lane.tail.push_back(event);
  lane.bytes += sizeof(Event) + event->data->size();
  while (lane.bytes > tail_bytes && lane.tail.size() > 1) {
    lane.bytes -= sizeof(Event) + lane.tail.front()->data->size();
    lane.tail.pop_front();
  }
}

void LogElsewhere::take(LogAnswer answer) {
  for (const auto& event : answer.events) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = lanes_.find(event->topic);
      if (found == lanes_.end() || static_cast<std::size_t>(event->partition) >= found->second.size()) continue;
      auto& lane = found->second[static_cast<std::size_t>(event->partition)];
      if (event->sequence <= lane.head) continue;
      if (event->sequence != lane.head + 1) {
        lane.tail.clear();  // past its retention there: the tail has no hole
        lane.bytes = 0;
      }
      keep(lane, event);
    }
    options_.tell(event);
  }
}

std::vector<std::int64_t> LogElsewhere::heads(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::int64_t> out;
  if (const auto found = lanes_.find(topic); found != lanes_.end())
    for (const auto& lane : found->second) out.push_back(lane.head);
  return out;
}

std::int64_t LogElsewhere::head(const std::string& topic, int partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = lanes_.find(topic);
  return found == lanes_.end() ? 0 : found->second[static_cast<std::size_t>(partition)].head;
}

std::string LogElsewhere::epoch() const {
  const std::lock_guard lock(mutex_);
  return epoch_;
}

Result<std::vector<EventPtr>> LogElsewhere::read(const std::string& topic, int partition, std::int64_t after, std::size_t limit) {
  auto asked = rows(topic, partition, after, limit);
  return boost::asio::co_spawn(options_.shards->executor(0), std::move(asked), boost::asio::use_future).get();
}

bool LogElsewhere::from_tail(const std::string& topic, int partition, std::int64_t after, std::size_t limit, std::vector<EventPtr>& out) const {
  const std::lock_guard lock(mutex_);
  const auto& lane = lanes_.find(topic)->second[static_cast<std::size_t>(partition)];
  if (after >= lane.head) return true;
  if (lane.tail.empty() || lane.tail.front()->sequence > after + 1) return false;
  for (auto at = static_cast<std::size_t>(after + 1 - lane.tail.front()->sequence); at < lane.tail.size() && out.size() < limit; ++at)
    out.push_back(lane.tail[at]);
  return true;
}

Async<std::vector<EventPtr>> LogElsewhere::rows(std::string topic, int partition, std::int64_t after, std::size_t limit) {
  ReadLog request;
  request.module = options_.module;
  request.limit = static_cast<std::int64_t>(limit);
  auto& one = request.topics.emplace_back();
  one.topic = topic;
  one.after.assign(static_cast<std::size_t>(options_.partitions), std::numeric_limits<std::int64_t>::max());
  one.after[static_cast<std::size_t>(partition)] = after;
  auto answer = co_await ask(std::move(request), answer_limit);
  if (!answer) co_return answer.error();
  co_return std::move(answer->events);
}

}  // namespace loggia::bus
