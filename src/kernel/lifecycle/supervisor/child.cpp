#include "lifecycle/supervisor/child.hpp"
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include "loggia/kernel/json.hpp"

namespace loggia {
namespace {

constexpr milliseconds backoff_first(100), backoff_last(5'000), lived_well(10'000);

/// Between fork and exec: nothing that takes a lock or memory.
[[noreturn]] void become(const char* program, char* const* words, pid_t parent, int in, int out, int err, bool own_group) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);  // it died before it was asked for
  if (own_group) ::setpgid(0, 0);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execv(program, words);
  constexpr std::string_view why = "loggia: cannot run the program of this process again\n";
  if (::write(2, why.data(), why.size()) < 0) ::_exit(126);
  ::_exit(127);
}

}  // namespace

milliseconds Backoff::after(milliseconds lived) {
  if (lived >= lived_well) next_ = backoff_first;
  const auto now = next_;
  next_ = std::min(next_ * 2, backoff_last);
  return now;
}

std::string line_of_all(const PlannedProcess& process, std::string_view line, std::size_t width, std::string_view colour) {
  std::string out;
  if (process.json && line.starts_with("{\"")) {
    append_quoted(out += "{\"process\":", process.name);
    out += ',';
    out += line.substr(1);
  } else {
    out += colour;
    out += process.name;
    out.append(width - std::min(width, process.name.size()), ' ');
    out += " |";
    if (!colour.empty()) out += "\x1b[0m";
    out += ' ';
    out += line;
  }
  return out += '\n';
}

void Child::close_streams() {
  for (int* file : {&out_, &err_})
    if (*file >= 0) ::close(std::exchange(*file, -1));
}

Result<bool> Child::start(const std::filesystem::path& program, bool own_group) {
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  int out[2] = {-1, -1}, err[2] = {-1, -1};
  const bool piped = ::pipe2(out, O_CLOEXEC) == 0 && ::pipe2(err, O_CLOEXEC) == 0;
  std::vector<std::string> words{"loggia"};
  words.insert(words.end(), plan_.arguments.begin(), plan_.arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const auto parent = ::getpid();
  const pid_t pid = in >= 0 && piped ? ::fork() : -1;
  if (pid == 0) become(program.c_str(), argv.data(), parent, in, out[1], err[1], own_group);
  const int why = errno;
  for (const int file : {in, out[1], err[1]})
    if (file >= 0) ::close(file);
  if (pid < 0) {
    for (const int file : {out[0], err[0]})
      if (file >= 0) ::close(file);
    return Error(Errc::internal, std::string("cannot start a process: ") + std::strerror(why));
  }
  close_streams();
  pid_ = pid;
  out_ = out[0];
  err_ = err[0];
  for (const int file : {out_, err_}) ::fcntl(file, F_SETFL, O_NONBLOCK);
  restart_at.reset();
  return true;
}

void Child::signal(int which) const {
  if (pid_ > 0) ::kill(pid_, which);
}

std::optional<int> Child::ended() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  ready = false;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void Child::read(int& file, LineReader& lines, const OnLine& line) {
  char piece[16 << 10];
  // All that a pipe holds, not all that a process which never stops has to say.
  for (int turn = 0; turn < 64 && file >= 0; ++turn) {
    const auto size = ::read(file, piece, sizeof piece);
    if (size > 0) {
      lines.take(std::string_view(piece, static_cast<std::size_t>(size)), line);
      continue;
    }
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    lines.finish(line);
    ::close(file);
    file = -1;
  }
}

}  // namespace loggia
