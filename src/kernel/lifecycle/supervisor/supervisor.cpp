// One thread, one poll(): signals and what the processes write.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <deque>
#include "lifecycle/supervisor/child.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace {

constexpr milliseconds reader_limit(1'000);  // of a terminal or pipe that takes nothing
constexpr int most_terminating = 143;        // 128 + SIGTERM, as a shell or a wrapper reports it

/// What a reader does not take in time is dropped: the processes behind it must not wait for it.
void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    pollfd writable{file, POLLOUT, 0};
    if (::poll(&writable, 1, static_cast<int>(reader_limit.count())) <= 0) return;
    const auto size = ::write(file, text.data(), std::min<std::size_t>(text.size(), 4096));  // a pipe that can be written takes as much
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

/// The value of ` name=` in a ready line.
std::string field_of(const std::string& line, const std::string& name) {
  const auto at = line.find(' ' + name + '=');
  if (at == line.npos) return std::string();
  const auto begin = at + name.size() + 2;
  return line.substr(begin, line.find(' ', begin) - begin);
}

class Supervisor {
 public:
  Supervisor(PlannedSet set, const SupervisorOptions& options) : options_{options}, ports_{std::move(set.ports)} {
    for (auto& process : set.processes) {
      width_ = std::max(width_, process.name.size());
      children_.emplace_back(std::move(process), children_.size());
    }
    coloured_ = ::isatty(options_.err) == 1 && !::getenv("NO_COLOR");
    // What a terminal sends to the group that it belongs to is for this process alone, which stops the others in their order.
    own_groups_ = ::tcgetpgrp(0) == ::getpgrp();
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t ours;
    sigemptyset(&ours);
    for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&ours, one);
    ::sigprocmask(SIG_BLOCK, &ours, nullptr);
    signals_ = ::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Supervisor() { ::close(signals_); }

  int run() {
    for (auto& child : children_)
      if (!stopping_) start(child);
    while (!stopping_ || any_alive()) {
      wait();
      handle_signals();
      for (auto& child : children_) hear(child);
      bury();
      const auto now = options_.clock->moment();
      for (auto& child : children_)
        if (!stopping_ && child.restart_at && *child.restart_at <= now) start(child);
      if (stopping_) go_on_stopping(now);
    }
    log::info("up.stopped");
    return code_;
  }

 private:
  bool any_alive() const {
    return std::any_of(children_.begin(), children_.end(), [](const auto& child) { return child.alive(); });
  }

  void start(Child& child) {
    child.started = options_.clock->moment();
    if (auto started = child.start(options_.program, own_groups_); !started) {
      log::error("up.cannot_start", Field("process", child.plan().name), Field("why", started.error().detail));
      fell(child, 1);
      return;
    }
    log::info("up.started", Field("process", child.plan().name), Field("pid", child.pid()));
  }

  /// Until something happens, or is due.
  void wait() {
    std::vector<pollfd> files{{signals_, POLLIN, 0}};
    std::optional<Moment> due;
    for (const auto& child : children_) {
      for (const int file : {child.out(), child.err()})
        if (file >= 0) files.push_back({file, POLLIN, 0});
      for (const auto& moment : {child.restart_at, child.alive() ? child.kill_at : std::nullopt})
        if (moment && (!due || *moment < *due)) due = moment;
    }
    const auto left = due ? std::chrono::ceil<milliseconds>(*due - options_.clock->moment()).count() : -1;
    ::poll(files.data(), files.size(), due ? static_cast<int>(std::max<std::int64_t>(0, left)) : -1);
  }

  void handle_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == SIGCHLD) continue;  // all are asked in any case
      if (info.ssi_signo == SIGHUP) {
        log::info("up.reloading");
        for (const auto& child : children_) child.signal(SIGHUP);
      } else if (stopping_) {
        // Who asks twice does not want to wait for the order.
        for (auto& child : children_) end(child);
      } else {
        log::info("up.stopping", Field("signal", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"));
        stop(highest());
      }
    }
  }

  void hear(Child& child) {
    child.read_out([&](const std::string& line) { said(child, line); });
    child.read_err([&](const std::string& line) { pass_on(child, line); });
  }

  void pass_on(const Child& child, const std::string& line) {
    const auto colour = coloured_ ? "\x1b[3" + std::to_string(1 + child.number % 6) + "m" : std::string();
    write_all(options_.err, line_of_all(child.plan(), line, width_, colour));
  }

  void said(Child& child, const std::string& line) {
    if (!line.starts_with("loggia ready")) return pass_on(child, line);
    child.ready = true;
    if (std::exchange(child.was_ready, true)) log::info("up.ready_again", Field("process", child.plan().name));
    child.ready_line = line;
    const bool all = std::all_of(children_.begin(), children_.end(), [](const auto& one) { return one.was_ready; });
    if (all && !stopping_ && !std::exchange(told_, true)) write_all(options_.out, ready_line() + '\n');
  }

  /// The public address is that of the first process that has one.
  std::string ready_line() const {
    const auto edge = std::find_if(children_.begin(), children_.end(), [](const auto& child) { return child.plan().edge; });
    if (edge == children_.end()) return children_.front().ready_line;
    return "loggia ready http=" + field_of(edge->ready_line, "http") + " admin=" + field_of(edge->ready_line, "admin");
  }

  void bury() {
    for (auto& child : children_) {
      const auto how = child.ended();
      if (!how) continue;
      hear(child);  // its last words
      const bool asked = stopping_ && (*how == -SIGTERM || *how == most_terminating);
      if (stopping_ && *how != 0 && !asked) {
        log::error("up.ended_badly", Field("process", child.plan().name), Field(*how < 0 ? "signal" : "exit", std::abs(*how)));
        code_ = std::max(code_, 1);
      }
      if (!stopping_) fell(child, *how);
    }
  }

  /// It has ended, and nobody asked for it.
  void fell(Child& child, int how) {
    const Field why(how < 0 ? "signal" : "exit", std::abs(how));
    if (!child.was_ready) {
      log::error("up.never_ready", Field("process", child.plan().name), why);
      code_ = how > 0 ? how : 1;
      return stop(0);
    }
    const auto now = options_.clock->moment();
    const auto delay = child.backoff.after(std::chrono::floor<milliseconds>(now - child.started));
    child.restart_at = now + delay;
    log::warn("up.died", Field("process", child.plan().name), why, Field("restart_in_ms", delay.count()));
  }

  int highest() const {
    int level = 0;
    for (const auto& child : children_)
      if (child.alive()) level = std::max(level, child.plan().level);
    return level;
  }

  /// All of this level or above; those below when these have ended.
  void stop(int level) {
    stopping_ = true;
    level_ = level;
    for (auto& child : children_) {
      child.restart_at.reset();
      if (child.alive() && child.plan().level >= level) end(child);
    }
  }

  /// One that is not ready has nothing that is to be drained.
  void end(Child& child) {
    child.signal(SIGTERM);
    if (!child.kill_at) child.kill_at = options_.clock->moment() + (child.ready ? child.plan().drain : milliseconds(0)) + options_.beyond_drain;
  }

  void go_on_stopping(Moment now) {
    for (auto& child : children_) {
      if (!child.alive() || !child.kill_at || *child.kill_at > now) continue;
      log::error("up.killed", Field("process", child.plan().name), Field("why", "it has not ended in time"));
      child.signal(SIGKILL);
      child.kill_at = now + options_.beyond_drain;
    }
    const bool waited_for =
        std::any_of(children_.begin(), children_.end(), [&](const auto& child) { return child.alive() && child.plan().level >= level_; });
    if (!waited_for && any_alive()) stop(highest());
  }

  const SupervisorOptions& options_;
  std::shared_ptr<void> ports_;
  std::deque<Child> children_;
  std::size_t width_ = 0;
  bool coloured_ = false, own_groups_ = false;
  int signals_ = -1;
  bool told_ = false, stopping_ = false;
  int level_ = 0;
  int code_ = 0;
};

}  // namespace

int supervise(PlannedSet set, const SupervisorOptions& options) { return Supervisor(std::move(set), options).run(); }

}  // namespace loggia
