// The other end of the control sockets: a command to the processes that run on a data directory.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include "lifecycle/joining.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/process.hpp"

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

/// Who asks how processes are does not wait long for one that hangs.
std::chrono::seconds patience(const std::string& command) { return std::chrono::seconds(command == "instances" ? 5 : 60); }

/// What changes something is done by one process; a topic has its producers and its groups in several, and not every process knows all others.
bool enough(const std::string& command, const Result<std::string>& newest) {
  if (command == "instances") return newest && !lacks_instances(*newest);
  return !command.starts_with("topics.") || (command == "topics.replay" && newest);
}

/// Nothing where nobody listens.
std::optional<std::string> converse(const fs::path& socket, const std::string& line, std::chrono::seconds patience) {
  const auto path = socket.string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int file = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file < 0) return std::nullopt;
  const timeval limit{patience.count(), 0};
  ::setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(file);
    return std::nullopt;
  }
  std::string answer;
  if (::send(file, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size())) {
    char piece[4096];
    for (ssize_t size; (size = ::recv(file, piece, sizeof piece, 0)) > 0;) answer.append(piece, static_cast<std::size_t>(size));
  }
  ::close(file);
  return answer;
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
  for (const auto& socket : sockets_in(directory)) {
    const auto answer = converse(socket, line, patience(command));
    if (!answer) continue;
    runs = true;
    bool unknown = false;
    auto read = read_answer(*answer, unknown);
    if (!unknown) answers.push_back(std::move(read));
    if (!unknown && enough(command, answers.back())) break;
  }
  if (!runs) return std::nullopt;
  if (answers.empty())
    return Result<std::string>(
        Error(Errc::unavailable, "none of the processes that run on " + directory.string() +
                                     " has this command: the one with its module is not there. Start it, or stop the others."));
  return join_answers(command, arguments, std::move(answers));
}

}  // namespace loggia
