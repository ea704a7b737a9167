// The other end of the control sockets: a command to the processes that run on a data directory.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>
#include "lifecycle/joining.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/process.hpp"
#include "loggia/kernel/time.hpp"

namespace loggia {
namespace {

namespace fs = std::filesystem;

/// control.sock, control.auth.sock, …: by name, so that answers come in one order.
std::vector<fs::path> sockets_in(const fs::path& directory) {
  std::vector<fs::path> out;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(directory, problem)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("control.") && name.ends_with("sock")) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// What changes something is waited for. Who asks how processes are does not wait long for one that hangs, and less where another has said all.
std::chrono::seconds patience(const std::string& command) { return std::chrono::seconds(command == "instances" ? 5 : 60); }
constexpr std::chrono::seconds patience_for_others(2);
constexpr std::chrono::milliseconds until_again(20);  // where too many wait for a connection, nothing tells when there is place

/// What changes something is done by one process; a topic has its producers and its groups in several, and not every process knows all others.
bool enough(const std::string& command, const Result<std::string>& newest) {
  if (command == "instances") return newest && !lacks_instances(*newest);
  return !command.starts_with("topics.") || (command == "topics.replay" && newest);
}

/// A line to a process, and its answer; nothing in it waits, so that several go on at once.
class Conversation {
 public:
  Conversation(const fs::path& socket, const std::string& line) : line_{line} {
    const auto path = socket.string();
    address_.sun_family = AF_UNIX;
    if (path.size() >= sizeof address_.sun_path) return;
    std::memcpy(address_.sun_path, path.c_str(), path.size() + 1);
    file_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  Conversation(const Conversation&) = delete;
  ~Conversation() { close(); }

  bool over() const { return file_ < 0; }
  /// Somebody is there.
  bool heard() const { return heard_; }
  bool asked() const { return connected_ && sent_ == line_.size(); }
  const std::string& answer() const { return answer_; }
  pollfd waits_for() const { return {connected_ ? file_ : -1, static_cast<short>(sent_ < line_.size() ? POLLOUT : POLLIN), 0}; }

  void go_on() {
    if (over() || (!connected_ && !connect())) return;
    while (sent_ < line_.size()) {
      const auto size = ::send(file_, line_.data() + sent_, line_.size() - sent_, MSG_NOSIGNAL);
      if (size <= 0) return again(size);
      sent_ += static_cast<std::size_t>(size);
    }
    for (char piece[4096];;) {
      const auto size = ::recv(file_, piece, sizeof piece, 0);
      if (size <= 0) return again(size);
      answer_.append(piece, static_cast<std::size_t>(size));
    }
  }

 private:
  bool connect() {
    connected_ = ::connect(file_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0;
    heard_ = connected_ || errno == EAGAIN;
    if (!heard_) close();
    return connected_;
  }
  void again(ssize_t size) {
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) close();
  }
  void close() {
    if (file_ >= 0) ::close(std::exchange(file_, -1));
  }

  const std::string& line_;
  sockaddr_un address_{};
  int file_ = -1;
  bool connected_ = false, heard_ = false;
  std::size_t sent_ = 0;
  std::string answer_;
};

/// Returns when `done` says so, or the time is over.
template <class F> void hold(std::vector<std::unique_ptr<Conversation>>& all, std::chrono::seconds patience, F done) {
  const auto clock = system_clock();
  const auto began = clock->moment();
  for (;;) {
    std::chrono::milliseconds wait = patience_for_others;
    std::vector<pollfd> files;
    for (const auto& one : all) {
      one->go_on();
      if (one->over()) continue;
      files.push_back(one->waits_for());
      if (files.back().fd < 0) wait = until_again;
    }
    const auto now = clock->moment();
    if (files.empty() || now - began >= patience || done(now - began)) return;
    for (const auto end : {patience_for_others, patience})
      if (now - began < end) wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(end - (now - began)));
    ::poll(files.data(), files.size(), static_cast<int>(wait.count()));
  }
}

Result<std::string> read_answer(const std::string& answer, bool& unknown) {
  const auto parsed = json::parse(answer, nullptr, false);
  if (!parsed.is_object()) return Error(Errc::outcome_unknown, "the running server did not answer; look at its log and at the result");
  if (parsed.contains("ok")) return parsed["ok"].get<std::string>();
  unknown = parsed.value("unknown", false);
  const auto& error = parsed["error"];
  return Error(errc_of(0, error.value("code", "internal")), error.value("detail", ""));
}

}  // namespace

std::optional<Result<std::string>> ask_running_server(const fs::path& directory, const std::string& command,
                                                      const std::vector<std::string>& arguments) {
  json request = json::object();
  request["command"] = command;
  request["arguments"] = arguments;
  const auto line = request.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  std::vector<Result<std::string>> answers;
  bool runs = false;
  // Nothing where it does not know the command, or where nobody is.
  const auto told = [](const Conversation& one) {
    std::optional<Result<std::string>> out;
    bool unknown = false;
    auto read = one.asked() ? read_answer(one.answer(), unknown) : Error(Errc::unavailable, "the running server takes no command: it hangs");
    if (one.heard() && !unknown) out = std::move(read);
    return out;
  };
  const auto suffices = [&](const Conversation& one) {
    const auto answer = one.over() ? told(one) : std::nullopt;
    return answer && enough(command, *answer);
  };
  const auto sockets = sockets_in(directory);
  const auto at_once = command == "instances" ? std::max<std::size_t>(sockets.size(), 1) : 1;
  for (std::size_t at = 0; at < sockets.size(); at += at_once) {
    std::vector<std::unique_ptr<Conversation>> all;
    for (std::size_t next = at; next < at + at_once; ++next) all.push_back(std::make_unique<Conversation>(sockets[next], line));
    hold(all, patience(command), [&](std::chrono::nanoseconds waited) {
      const auto first = std::find_if(all.begin(), all.end(), [&](const auto& one) { return suffices(*one); });
      if (first == all.end()) return false;
      return waited >= patience_for_others || std::all_of(all.begin(), first, [](const auto& one) { return one->over(); });
    });
    bool last = false;
    for (const auto& one : all) {
      runs = runs || one->heard();
      auto answer = told(*one);
      last = answer && enough(command, *answer);
      if (answer) answers.push_back(std::move(*answer));
      if (last) break;
    }
    if (last) break;
  }
  if (!runs) return std::nullopt;
  if (answers.empty())
    return Result<std::string>(
        Error(Errc::unavailable, "none of the processes that run on " + directory.string() +
                                     " has this command: the one with its module is not there. Start it, or stop the others."));
  return join_answers(command, arguments, std::move(answers));
}

}  // namespace loggia
