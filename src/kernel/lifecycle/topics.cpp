#include "lifecycle/topics.hpp"
#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <numeric>

namespace loggia {
namespace {

/// The bus answers these blocking; they do not belong on a shard.
template <class F> Command blocking(Kernel& kernel, const std::shared_ptr<WorkerPool>& pool, F work) {
  struct Run {
    static Async<std::string> on(Kernel& kernel, std::shared_ptr<WorkerPool> pool, F work, std::vector<std::string> arguments) {
      std::function<Result<std::string>()> job = [&kernel, work, arguments = std::move(arguments)] { return work(*kernel.bus, arguments); };
      auto done = co_await pool->run(std::move(job));
      if (!done) co_return done.error();
      co_return std::move(*done);
    }
  };
  return [&kernel, pool, work](const Context&, std::vector<std::string> arguments) { return Run::on(kernel, pool, work, std::move(arguments)); };
}

/// `--name VALUE` of the arguments, or nothing.
std::optional<std::string> option(const std::vector<std::string>& arguments, std::string_view name) {
  for (std::size_t at = 0; at + 1 < arguments.size(); ++at)
    if (arguments[at] == name) return arguments[at + 1];
  return std::nullopt;
}
bool has(const std::vector<std::string>& arguments, std::string_view name) {
  return std::find(arguments.begin(), arguments.end(), name) != arguments.end();
}
Result<std::int64_t> number(const std::vector<std::string>& arguments, std::string_view name, std::int64_t otherwise) {
  const auto text = option(arguments, name);
  if (!text) return otherwise;
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (problem != std::errc() || end != text->data() + text->size() || value < 0)
    return Error(Errc::invalid_request, fmt::format("{} takes a number from 0, not \"{}\"", name, *text));
  return value;
}

Result<std::string> list(Bus& bus, const std::vector<std::string>&) {
  std::string out = fmt::format("{:<22} {:<14} {:>10} {:>12}\n", "TOPIC", "PRODUCER", "PARTITIONS", "EVENTS");
  for (const auto& topic : bus.topics())
    out += fmt::format("{:<22} {:<14} {:>10} {:>12}\n", topic.topic, topic.producer, topic.heads.size(),
                       std::accumulate(topic.heads.begin(), topic.heads.end(), std::int64_t{0}));
  return out;
}

Result<std::string> lag(Bus& bus, const std::vector<std::string>&) {
  std::string out =
      fmt::format("{:<22} {:<14} {:>9} {:>12} {:>12} {:>8} {:>12}\n", "TOPIC", "GROUP", "PARTITION", "POSITION", "HEAD", "LAG", "DEAD LETTERS");
  for (const auto& row : bus.lag())
    out += fmt::format("{:<22} {:<14} {:>9} {:>12} {:>12} {:>8} {:>12}\n", row.topic, row.group, row.partition, row.position, row.head,
                       row.head - row.position, row.dead_letters);
  return out;
}

Result<TopicState> state_of(Bus& bus, const std::string& topic, const std::string& producer) {
  std::vector<std::string> names;
  for (auto& state : bus.topics()) {
    if (state.topic == topic && (producer.empty() || state.producer == producer)) return std::move(state);
    names.push_back(state.topic);
  }
  const auto near = nearest(topic, names);
  return Error(Errc::not_found, "there is no topic \"" + topic + "\"" + (near ? "; did you mean \"" + *near + "\"?" : "; see `loggia topics list`"));
}

/// The newest `--count` events of every producer's partitions, or those after `--from`, oldest first, a CloudEvent a line.
Result<std::string> tail(Bus& bus, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return Error(Errc::invalid_request, "which topic? See `loggia topics list`.");
  auto first = state_of(bus, arguments[0], "");
  if (!first) return first.error();
  const auto count = number(arguments, "--count", 10), from = number(arguments, "--from", 0), only = number(arguments, "--partition", 0);
  for (const auto* given : {&count, &from, &only})
    if (!*given) return given->error();
  const bool one = has(arguments, "--partition"), since = has(arguments, "--from");
  std::vector<EventPtr> found;
  for (const auto& state : bus.topics()) {
    if (state.topic != arguments[0]) continue;
    for (int partition = 0; partition < static_cast<int>(state.heads.size()); ++partition) {
      if (one && partition != *only) continue;
      const auto after =
          since ? std::max<std::int64_t>(0, *from - 1) : std::max<std::int64_t>(0, state.heads[static_cast<std::size_t>(partition)] - *count);
      auto page = bus.page(state.topic, state.producer, partition, after, static_cast<std::size_t>(std::clamp<std::int64_t>(*count, 1, 1000)));
      found.insert(found.end(), page.begin(), page.end());
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const EventPtr& a, const EventPtr& b) { return a->time < b->time; });
  if (!since && found.size() > static_cast<std::size_t>(*count)) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(*count));
  std::string out;
  for (const auto& event : found) out += to_cloud_event(*event) + '\n';
  return out;
}

Result<std::string> replay(Bus& bus, const std::vector<std::string>& arguments) {
  const auto group = option(arguments, "--group");
  if (arguments.empty() || !group || (!has(arguments, "--from") && !has(arguments, "--dead-letters")))
    return Error(Errc::invalid_request, "usage: loggia topics replay TOPIC --group G --from SEQUENCE [--partition N] | --dead-letters");
  auto state = state_of(bus, arguments[0], "");
  if (!state) return state.error();
  if (has(arguments, "--dead-letters")) {
    auto again = bus.replay_dead_letters(arguments[0], *group);
    if (!again) return again.error();
    return fmt::format("{} events that were set aside will be handled again.\n0 mails, pushes and webhooks go out again.\n", *again);
  }
  const auto from = number(arguments, "--from", 0), partition = number(arguments, "--partition", 0);
  if (!from) return from.error();
  if (!partition) return partition.error();
  auto again = bus.replay(arguments[0], *group, *from, has(arguments, "--partition") ? static_cast<int>(*partition) : -1);
  if (!again) return again.error();
  return fmt::format("{} events will be handled again.\n0 mails, pushes and webhooks go out again.\n", *again);
}

}  // namespace

void add_topic_commands(Kernel& kernel) {
  auto pool = std::make_shared<WorkerPool>(1, 16, "topics");
  kernel.commands["topics.list"] = blocking(kernel, pool, &list);
  kernel.commands["topics.lag"] = blocking(kernel, pool, &lag);
  kernel.commands["topics.tail"] = blocking(kernel, pool, &tail);
  kernel.commands["topics.replay"] = blocking(kernel, pool, &replay);
}

}  // namespace loggia
