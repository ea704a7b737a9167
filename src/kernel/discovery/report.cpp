#include "discovery/report.hpp"
#include <fmt/format.h>
#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <set>
#include "loggia/kernel/json.hpp"

namespace loggia::discovery {
namespace {

namespace asio = boost::asio;
using Reach = InstanceTransport::Reach;

constexpr milliseconds ask_within{1000};

struct Row {
  std::string module, address, health, from, detail;
  std::optional<Report> report;
};

/// The rows, filled while they are asked; of one shard.
struct Asked {
  Asked(Asking what, const Executor& executor) : asking{std::move(what)}, all_told{executor, asio::steady_timer::time_point::max()} {}
  const Asking asking;
  std::vector<Row> rows;
  std::size_t left = 0;
  asio::steady_timer all_told;
};

/// One that is asked, until its end, however that comes.
class Question {
 public:
  Question(std::shared_ptr<Asked> all, std::size_t at) : all_{std::move(all)}, at_{at} { ++all_->left; }
  Question(Question&& other) = default;
  ~Question() {
    if (all_ && --all_->left == 0) all_->all_told.cancel();
  }
  Row& row() const { return all_->rows[at_]; }
  const Asking& asking() const { return all_->asking; }

 private:
  std::shared_ptr<Asked> all_;
  std::size_t at_;
};

bool has(const std::vector<std::string>& list, std::string_view one) { return std::find(list.begin(), list.end(), one) != list.end(); }

/// What is down counts for the module that it is named after, and else for all of its process.
bool concerns(const Down& down, const std::string& module, const std::vector<std::string>& modules) {
  std::string_view of = down.name;
  if (of.starts_with("storage.")) of.remove_prefix(8);
  return of == module || !has(modules, of);
}

void judge(Row& row, Report report, const std::vector<std::string>& modules) {
  row.health = report.serving ? "ready" : "not ready";
  if (!report.serving) row.detail = "is starting or stopping";
  for (const auto& down : report.down)
    if (report.serving && concerns(down, row.module, modules)) {
      row.health = "not ready";
      row.detail = down.detail.empty() ? down.name : down.name + ": " + down.detail;
      break;
    }
  row.report = std::move(report);
}

void not_asked(Row& row, std::string why) {
  row.health = row.from == "etcd" ? "registered" : "not asked";  // what stands in etcd was alive two seconds ago
  row.detail = std::move(why);
}

void judge(Row& row, const Result<Answer>& answer, Reach reach, const Asking& asking) {
  if (answer) {
    auto report = decode_answer<Report>(answer->body);
    if (report) return judge(row, std::move(*report), asking.modules);
    row.health = "not ready";
    row.detail = "what it says of itself is not understood: is it of another release?";
  } else if (reach != Reach::answered) {
    if (!asking.silence_tells) return not_asked(row, "it does not answer without a certificate (rpc.tls.*)");
    row.health = "unreachable";
    row.detail = answer.error().detail;
  } else if (answer.error().code == Errc::forbidden) {
    not_asked(row, answer.error().detail);
  } else {
    row.health = "not ready";
    row.detail = answer.error().detail;
  }
}

asio::awaitable<void> ask(Question question, std::shared_ptr<InstanceTransport> transport, Context context) {
  Call call;
  call.route = report_route;
  auto reach = Reach::untried;
  auto asked = transport->attempt(std::move(context), std::move(call), &reach);
  const auto answer = co_await std::move(asked);
  judge(question.row(), answer, reach, question.asking());
}

std::vector<Row> rows_of(const Asking& asking) {
  std::vector<Row> out;
  const auto add = [&out](const std::string& module, std::string address, std::string from) {
    auto& row = out.emplace_back();
    row.module = module;
    row.address = std::move(address);
    row.from = std::move(from);
  };
  for (const auto& module : asking.modules) {
    const auto known = asking.discovery->instances(module);
    for (const auto& address : known) add(module, address, asking.kind);
    const bool here = has(asking.here, module);
    if (here && (asking.address.empty() || !has(known, asking.address))) add(module, asking.address.empty() ? "-" : asking.address, "here");
    if (known.empty() && !here) {
      add(module, "-", asking.kind);
      out.back().health = "not known";
    }
  }
  return out;
}

/// An instance that is well, and that somebody's calls do not go to: who has found it bad leaves it out for a while.
void note_left_out(std::vector<Row>& rows) {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> by;
  const auto note = [&by](const Report& report, const std::string& who) {
    for (const auto& one : report.left_out) by[{one.module, one.address}].insert(who);
  };
  for (const auto& row : rows)
    if (row.report) note(*row.report, row.module);
  for (auto& row : rows) {
    const auto found = by.find({row.module, row.address});
    if (row.health != "ready" || found == by.end()) continue;
    row.health = "ejected";
    row.detail = "left out for a while by " + joined(std::vector<std::string>(found->second.begin(), found->second.end()));
  }
}

std::string table_of(const std::vector<Row>& rows) {
  std::string out;
  const auto line = [&out](auto&&... columns) {
    out += fmt::format("{:<14} {:<21} {:<12} {:<7} {:>9}  {}", columns...);
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  };
  line("MODULE", "ADDRESS", "HEALTH", "FROM", "IN FLIGHT", "DETAIL");
  for (const auto& row : rows)
    line(row.module, row.address, row.health, row.from, row.report ? std::to_string(row.report->in_flight) : std::string("-"), row.detail);
  return out;
}

}  // namespace

Async<std::string> ask_instances(Asking asking, std::shared_ptr<Clock> clock, Tasks& tasks) {
  auto executor = co_await asio::this_coro::executor;
  const auto all = std::make_shared<Asked>(std::move(asking), executor);
  all->rows = rows_of(all->asking);
  const auto context = Context().until(clock->moment() + ask_within);
  for (std::size_t at = 0; at < all->rows.size(); ++at) {
    auto& row = all->rows[at];
    if (!row.health.empty()) continue;
    if (has(all->asking.here, row.module) && (row.from == "here" || row.address == all->asking.address)) {
      judge(row, all->asking.own, all->asking.modules);
      continue;
    }
    auto transport = all->asking.connect(row.module, row.address);
    if (transport) tasks.spawn(executor, "instances.ask", ask(Question(all, at), std::move(*transport), context));
    else not_asked(row, transport.error().detail);
  }
  boost::system::error_code told;
  while (all->left > 0) co_await all->all_told.async_wait(asio::redirect_error(asio::use_awaitable, told));
  note_left_out(all->rows);
  co_return table_of(all->rows);
}

}  // namespace loggia::discovery
