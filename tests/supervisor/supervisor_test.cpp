// The supervisor over processes that are lines of shell: it runs in a process of its own, as it does in the program.
#include "loggia/kernel/supervisor.hpp"
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <regex>
#include "lifecycle/supervisor/child.hpp"
#include "loggia/kernel/log.hpp"

using namespace loggia;

namespace {

constexpr int patience_ms = 20'000;

PlannedProcess shell(const std::string& name, const std::string& script, int level = 0) {
  PlannedProcess out;
  out.name = name;
  out.arguments = {"-c", script};
  out.level = level;
  out.edge = name == "edge";
  out.drain = milliseconds(10'000);
  return out;
}
/// Says who it is and that it is ready, and lives until SIGTERM; then `last`.
std::string lives(const std::string& last = "exit 0", const std::string& name = "x") {
  return "trap '" + last + "' TERM; echo \"i am $$\" >&2; echo 'loggia ready http=http://of." + name + " admin=http://admin." + name +
         "'; while :; do sleep 0.05 & wait $!; done";
}

class RunningSet {
 public:
  explicit RunningSet(std::vector<PlannedProcess> processes, milliseconds beyond_drain = milliseconds(10'000)) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // what it leaves behind becomes ours, and is seen
    int out[2], err[2];
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(err, O_CLOEXEC) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], 1);
      ::dup2(err[1], 2);
      static const std::shared_ptr<Clock> clock = system_clock();
      log::configure(log::Level::info, log::Format::text, *clock);
      PlannedSet set;
      set.processes = std::move(processes);
      SupervisorOptions options;
      options.program = "/bin/sh";
      options.clock = clock;
      options.beyond_drain = beyond_drain;
      ::_exit(supervise(std::move(set), options));
    }
    ::close(out[1]);
    ::close(err[1]);
    out_ = out[0];
    err_ = err[0];
    for (const int file : {out_, err_}) ::fcntl(file, F_SETFL, O_NONBLOCK);
  }
  RunningSet(const RunningSet&) = delete;
  ~RunningSet() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    for (int status; ::wait(&status) > 0;) {
    }
    ::close(out_);
    ::close(err_);
  }

  /// The first part of standard error that fits, from where the last one ended.
  std::smatch log(const std::string& pattern) { return await(said_, from_, pattern); }
  std::smatch output(const std::string& pattern) { return await(printed_, printed_from_, pattern); }
  pid_t pid_of(const std::string& name) { return std::stoi(log(name + " *\\| i am ([0-9]+)\n")[1]); }

  void signal(int which) const { ::kill(pid_, which); }
  int exit_code() {
    int status = 0;
    const auto began = clock_->moment();
    while (::waitpid(pid_, &status, WNOHANG) == 0 && clock_->moment() - began < milliseconds(patience_ms)) read(50);
    pid_ = 0;
    read(0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::int64_t seconds() const { return std::chrono::floor<std::chrono::seconds>(clock_->moment() - began_).count(); }
  const std::string& said() const { return said_; }
  const std::string& printed() const { return printed_; }

 private:
  void read(int wait_ms) {
    pollfd files[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
    ::poll(files, 2, wait_ms);
    char piece[4096];
    for (ssize_t size; (size = ::read(out_, piece, sizeof piece)) > 0;) printed_.append(piece, static_cast<std::size_t>(size));
    for (ssize_t size; (size = ::read(err_, piece, sizeof piece)) > 0;) said_.append(piece, static_cast<std::size_t>(size));
  }
  std::smatch await(const std::string& text, std::size_t& from, const std::string& pattern) {
    const auto began = clock_->moment();
    std::smatch found;
    for (;;) {
      last_ = text.substr(from);
      if (std::regex_search(last_, found, std::regex(pattern))) break;
      if (clock_->moment() - began > milliseconds(patience_ms)) FAIL("\"" << pattern << "\" did not come; there is:\n" << text);
      read(50);
    }
    from += static_cast<std::size_t>(found.position(0) + found.length(0));
    return found;
  }

  std::unique_ptr<Clock> clock_ = system_clock();
  Moment began_ = clock_->moment();
  pid_t pid_ = 0;
  int out_ = -1, err_ = -1;
  std::string said_, printed_, last_;
  std::size_t from_ = 0, printed_from_ = 0;
};

}  // namespace

TEST_CASE("one ready line, the edge's, when all are ready") {
  RunningSet set({shell("base", lives("exit 0", "base")), shell("edge", lives("exit 0", "edge"), 1)});
  set.output("loggia ready http=http://of\\.edge admin=http://admin\\.edge\n");
  set.signal(SIGTERM);
  CHECK(set.exit_code() == 0);
  CHECK(set.printed() == "loggia ready http=http://of.edge admin=http://admin.edge\n");
  errno = 0;
  CHECK(::waitpid(-1, nullptr, WNOHANG) <= 0);
}

TEST_CASE("nothing is ready before all are") {
  RunningSet set({shell("edge", lives("exit 0", "edge"), 1), shell("late", "trap 'exit 0' TERM; while :; do sleep 0.05 & wait $!; done")});
  set.pid_of("edge");
  set.signal(SIGTERM);
  CHECK(set.exit_code() == 0);
  CHECK(set.printed().empty());
}

TEST_CASE("who is needed is stopped when nobody is left who needs it") {
  RunningSet set({shell("base", lives("echo base stops >&2; exit 0")),
                  shell("edge", lives("echo edge stops >&2; sleep 0.3; echo edge ends >&2; exit 0"), 2),
                  shell("mid", lives("echo mid stops >&2; sleep 0.3; echo mid ends >&2; exit 0"), 1)});
  set.output("loggia ready");
  set.signal(SIGINT);
  CHECK(set.exit_code() == 0);
  const std::regex order("edge stops\n[^]*edge ends\n[^]*mid stops\n[^]*mid ends\n[^]*base stops\n");
  CAPTURE(set.said());
  CHECK(std::regex_search(set.said(), order));
}

TEST_CASE("who asks twice does not wait for the order") {
  RunningSet set({shell("base", lives("echo base stops >&2; exit 0")), shell("edge", lives("echo edge stops >&2"), 1)});
  set.output("loggia ready");
  set.signal(SIGTERM);
  set.log("edge stops");
  set.signal(SIGTERM);
  set.log("base stops");
}

TEST_CASE("what dies is started again, and what was ready stays told") {
  RunningSet set({shell("base", lives()), shell("edge", lives("exit 0", "edge"), 1)});
  set.output("loggia ready");
  const auto first = set.pid_of("edge");
  ::kill(first, SIGKILL);
  set.log("up.died process=edge signal=9 restart_in_ms=100\n");
  const pid_t second = std::stoi(set.log("up.started process=edge pid=([0-9]+)\n")[1]);
  CHECK(second != first);
  set.log("up.ready_again process=edge\n");
  ::kill(second, SIGKILL);
  set.log("up.died process=edge signal=9 restart_in_ms=200\n");
  set.signal(SIGTERM);  // while it waits for its restart
  CHECK(set.exit_code() == 0);
  CHECK(set.printed() == "loggia ready http=http://of.edge admin=http://admin.edge\n");
}

TEST_CASE("who never was ready ends the set, with its own words and its own exit code") {
  RunningSet set({shell("good", lives()), shell("wrong", "echo 'loggia: chat.retention: is a duration' >&2; exit 2")});
  CHECK(set.exit_code() == 2);
  CHECK(set.said().find("wrong | loggia: chat.retention: is a duration\n") != std::string::npos);
  CHECK(set.printed().empty());
}

TEST_CASE("a program that cannot be run ends the set") {
  RunningSet set({shell("killed", "kill -9 $$")});
  CHECK(set.exit_code() == 1);
}

TEST_CASE("who does not end in time is killed, and that is no clean end") {
  auto deaf = shell("deaf", "trap '' TERM; echo 'loggia ready rpc=x admin=y'; while :; do sleep 0.05 & wait $!; done");
  deaf.drain = milliseconds(50);
  RunningSet set({deaf}, milliseconds(50));
  CHECK(set.output("loggia ready (.*)\n")[1] == "rpc=x admin=y");
  set.signal(SIGTERM);
  CHECK(set.exit_code() == 1);
  CHECK(set.said().find("up.killed process=deaf") != std::string::npos);
}

TEST_CASE("one that never got ready is not given the time of those that drain") {
  RunningSet set({shell("deaf", "trap '' TERM; echo \"i am $$\" >&2; while :; do sleep 0.05 & wait $!; done"), shell("wrong", "sleep 0.2; exit 2")},
                 milliseconds(50));
  set.pid_of("deaf");
  CHECK(set.exit_code() == 2);
  CHECK(set.said().find("up.killed process=deaf") != std::string::npos);
  CHECK(set.seconds() < 8);  // process.drain is 10 s
}

TEST_CASE("SIGHUP is for all") {
  const auto hears = [](const std::string& name) { return "trap 'echo " + name + " reloads >&2' HUP; " + lives(); };
  RunningSet set({shell("one", hears("one")), shell("two", hears("two"))});
  set.output("loggia ready");
  set.signal(SIGHUP);
  set.log("(one reloads[^]*two reloads|two reloads[^]*one reloads)");
  set.signal(SIGTERM);
  CHECK(set.exit_code() == 0);
}

TEST_CASE("no process outlives the one that watches it") {
  RunningSet set({shell("base", lives("echo base ends; exit 7"))});
  set.output("loggia ready");
  const auto orphan = set.pid_of("base");
  set.signal(SIGKILL);
  CHECK(set.exit_code() == -SIGKILL);
  int status = 0;
  CHECK(::waitpid(orphan, &status, 0) == orphan);
}

TEST_CASE("a process that died waits longer each time, unless it had lived") {
  Backoff backoff;
  std::vector<std::int64_t> waits;
  for (int death = 0; death < 8; ++death) waits.push_back(backoff.after(milliseconds(9'999)).count());
  CHECK(waits == std::vector<std::int64_t>{100, 200, 400, 800, 1600, 3200, 5000, 5000});
  CHECK(backoff.after(milliseconds(10'000)) == milliseconds(100));
  CHECK(backoff.after(milliseconds(1)) == milliseconds(200));
}

TEST_CASE("lines are whole, however they come") {
  LineReader reader;
  std::vector<std::string> lines;
  const auto keep = [&](const std::string& line) { lines.push_back(line); };
  reader.take("one\ntw", keep);
  reader.take("o\n\nthr", keep);
  CHECK(lines == std::vector<std::string>{"one", "two"});
  reader.finish(keep);
  CHECK(lines.back() == "thr");
  reader.take(std::string(200'000, 'x'), keep);
  std::size_t size = 0;
  for (const auto& line : lines) size += line.size();
  CHECK(size == 200'009);
}

TEST_CASE("a line names its process") {
  auto chat = shell("chat", "");
  CHECK(line_of_all(chat, "up", 6, "") == "chat   | up\n");
  CHECK(line_of_all(chat, "up", 4, "\x1b[32m") == "\x1b[32mchat |\x1b[0m up\n");
  CHECK(line_of_all(chat, "{\"a\":1}", 4, "") == "chat | {\"a\":1}\n");
  chat.json = true;
  CHECK(line_of_all(chat, "{\"a\":1}", 4, "") == "{\"process\":\"chat\",\"a\":1}\n");
  CHECK(line_of_all(chat, "loggia: no", 4, "") == "chat | loggia: no\n");
}
