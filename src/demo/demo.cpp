#include "demo/demo.hpp"
#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include "demo/sample.hpp"
#include "loggia/auth/contract.hpp"
#include "loggia/chat/contract.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/user/contract.hpp"

namespace loggia::demo {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view marker = ".loggia-demo";

/// Speaks for each sample person through the modules' contracts, as the gateway would.
class Furnisher {
 public:
  explicit Furnisher(Kernel& kernel)
      : kernel_{kernel},
        rooms_{kernel.ports.get<chat::Rooms>()},
        messages_{kernel.ports.get<chat::Messages>()},
        users_{kernel.ports.get<user::Users>()} {}

  Async<bool> people(std::vector<std::string> names, std::vector<std::string> passwords) {
    for (std::size_t at = 0; at < names.size(); ++at) {
      auto known = co_await users_->ask<user::GetUserByName>(nobody(), names[at]);
      if (known) {
        ids_[names[at]] = known->id;
        auto changed = co_await shell("user.password", names[at], passwords[at]);
        if (!changed) co_return changed.error();
        continue;
      }
      fresh_ = true;
      auto added = co_await shell("user.add", names[at], passwords[at]);
      if (!added) co_return added.error();
      auto made = co_await users_->ask<user::GetUserByName>(nobody(), names[at]);
      if (!made) co_return made.error();
      ids_[names[at]] = made->id;
    }
    co_return true;
  }
  bool fresh() const { return fresh_; }

  Async<bool> profile(std::string name, std::string display_name, std::string status) {
    user::UpdateMe change;
    change.display_name = std::move(display_name);
    if (!status.empty()) change.status_text = std::move(status);
    auto done = co_await users_->on(as(name), std::move(change));
    if (!done) co_return done.error();
    co_return true;
  }

  Async<RoomId> room(std::string name, std::string topic, std::string visibility, std::vector<std::string> members) {
    chat::CreateRoom make;
    make.name = std::move(name);
    make.topic = std::move(topic);
    make.visibility = std::move(visibility);
    make.members.emplace();
    for (std::size_t at = 1; at < members.size(); ++at) make.members->push_back(ids_.at(members[at]));
    auto made = co_await rooms_->on(as(members.at(0)), std::move(make));
    if (!made) co_return made.error();
    co_return made->id;
  }

  Async<RoomId> direct(std::string from, std::string to) {
    auto opened = co_await rooms_->ask<chat::OpenDirect>(as(from), ids_.at(to));
    if (!opened) co_return opened.error();
    co_return opened->value.id;
  }

  Async<std::int64_t> say(RoomId room, std::string from, std::string text) {
    chat::PostMessage post;
    post.room = room;
    post.text = std::move(text);
    auto posted = co_await messages_->on(as(from), std::move(post));
    if (!posted) co_return posted.error();
    co_return posted->value.seq;
  }

  Async<bool> react(RoomId room, std::int64_t seq, std::string from, std::string emoji) {
    auto done = co_await messages_->ask<chat::AddReaction>(as(from), room, seq, emoji);
    if (!done) co_return done.error();
    co_return true;
  }

 private:
  Context nobody() const { return Context(new_trace(*kernel_.random)); }
  Context as(const std::string& name) const {
    Caller caller;
    caller.subject = Uuid(ids_.at(name));
    caller.username = name;
    caller.roles.emplace_back("member");
    return nobody().as(std::move(caller));
  }
  Async<std::string> shell(const std::string& command, std::string name, std::string password) {
    std::vector<std::string> arguments;
    arguments.push_back(std::move(name));
    arguments.push_back(std::move(password));
    if (command == "user.add") arguments.insert(arguments.end(), 2, std::string());
    if (command == "user.add" && arguments[0] == "ada") arguments[2] = "admin,member";
    auto context = nobody().from("shell", "loggia serve --demo");
    return kernel_.commands.at(command)(std::move(context), std::move(arguments));
  }

  Kernel& kernel_;
  std::shared_ptr<chat::Rooms> rooms_;
  std::shared_ptr<chat::Messages> messages_;
  std::shared_ptr<user::Users> users_;
  std::map<std::string, UserId> ids_;
  bool fresh_ = false;
};

Async<bool> furnish_room(Furnisher& furnisher, const json& room) {
  const auto made = co_await furnisher.room(room.at("name").get<std::string>(), room.at("topic").get<std::string>(),
                                            room.at("visibility").get<std::string>(), room.at("members").get<std::vector<std::string>>());
  if (!made) co_return made.error();
  std::vector<std::int64_t> numbers;
  for (const auto& message : room.at("messages")) {
    const auto seq = co_await furnisher.say(*made, message.at(0).get<std::string>(), message.at(1).get<std::string>());
    if (!seq) co_return seq.error();
    numbers.push_back(*seq);
  }
  for (const auto& reaction : room.at("reactions")) {
    const auto seq = numbers.at(reaction.at(0).get<std::size_t>() - 1);
    const auto done = co_await furnisher.react(*made, seq, reaction.at(1).get<std::string>(), reaction.at(2).get<std::string>());
    if (!done) co_return done.error();
  }
  co_return true;
}

Async<bool> furnish_all(Furnisher& furnisher, const json& sample_data, const std::vector<std::string>& names,
                        const std::vector<std::string>& passwords) {
  if (auto done = co_await furnisher.people(names, passwords); !done) co_return done.error();
  if (!furnisher.fresh()) co_return true;
  for (const auto& person : sample_data.at("people")) {
    const auto done = co_await furnisher.profile(person.at("username").get<std::string>(), person.at("display_name").get<std::string>(),
                                                 person.value("status", std::string()));
    if (!done) co_return done.error();
  }
  for (const auto& room : sample_data.at("rooms"))
    if (auto done = co_await furnish_room(furnisher, room); !done) co_return done.error();
  for (const auto& line : sample_data.at("direct")) {
    const auto from = line.at(0).get<std::string>();
    const auto room = co_await furnisher.direct(from, line.at(1).get<std::string>());
    if (!room) co_return room.error();
    if (auto said = co_await furnisher.say(*room, from, line.at(2).get<std::string>()); !said) co_return said.error();
  }
  co_return true;
}

}  // namespace

Directory::~Directory() {
  std::error_code ignored;
  if (temporary_) fs::remove_all(path_, ignored);
}

Result<Directory> prepare(std::vector<std::pair<std::string, std::string>>& flags) {
  const auto given = [&](std::string_view key) -> const std::string* {
    const std::string* found = nullptr;
    for (const auto& [name, value] : flags)
      if (name == key) found = &value;
    return found;
  };
  if (!given("lab.enabled")) flags.emplace_back("lab.enabled", "true");
  if (!given("http.listen")) flags.emplace_back("http.listen", "127.0.0.1:8080");
  if (!given("admin.listen")) flags.emplace_back("admin.listen", "127.0.0.1:8081");
  const auto* directory = given("storage.dir");
  if (!directory) {
    auto name = (fs::temp_directory_path() / "loggia-demo-XXXXXX").string();
    if (!::mkdtemp(name.data()))
      return Error(Errc::internal, "cannot make a temporary directory in " + fs::temp_directory_path().string() + "; name one with --data");
    flags.emplace_back("storage.dir", name);
    const std::ofstream marks(fs::path(name) / marker);
    return Directory(name, true);
  }
  const fs::path path(*directory);
  std::error_code problem;
  if (fs::exists(path, problem) && !fs::is_empty(path, problem) && !fs::exists(path / marker, problem))
    return Error(Errc::conflict,
                 "the demo does not use " + path.string() + ": it did not make what is in there. Name another directory with --data, or none.");
  fs::create_directories(path, problem);
  if (!std::ofstream(path / marker)) return Error(Errc::internal, "cannot write in " + path.string() + "; name another directory with --data");
  return Directory(path, false);
}

Result<std::vector<Login>> furnish(Kernel& kernel) {
  const auto sample_data = json::parse(sample());
  std::vector<std::string> names, passwords;
  std::vector<Login> logins;
  for (const auto& person : sample_data.at("people")) {
    names.push_back(person.at("username").get<std::string>());
    passwords.push_back(kernel.ids->secret(12));
    logins.push_back({names.back(), passwords.back()});
  }
  logins.resize(2);
  Furnisher furnisher(kernel);
  // Blocks until it has ended: nothing else is served before.
  auto work = furnish_all(furnisher, sample_data, names, passwords);
  const auto done = boost::asio::co_spawn(kernel.shards->executor(0), std::move(work), boost::asio::use_future).get();
  if (!done) return done.error();
  return logins;
}

std::string greeting(const Kernel& kernel, const std::vector<Login>& people) {
  std::string out = fmt::format("\n  Loggia's demo is at {}\n\n  Sign in, in two windows, as\n", kernel.public_address);
  for (const auto& person : people) out += fmt::format("    {:<10} {}\n", person.username, person.password);
  return out + "\n  Ctrl-C ends it.\n\n";
}

}  // namespace loggia::demo
