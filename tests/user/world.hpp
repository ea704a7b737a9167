#pragma once
// The services of user on fakes: a store in memory, time that a test moves.
#include <doctest/doctest.h>
#include "loggia/kernel/json.hpp"
#include "service.hpp"
#include "support/fakes.hpp"
#include "support/print.hpp"

namespace loggia::user {
std::vector<Migration> migrations();
}

namespace loggia::user::testing {

struct World {
  test::FakeKernel kernel;
  std::shared_ptr<Parts> parts = std::make_shared<Parts>();
  UsersHere users{parts};
  DirectoryHere directory{parts};

  World() {
    parts->database = kernel.kernel.open("user", migrations());
    parts->log = kernel.bus->open_log("user", parts->database, std::vector<Topic>());
    parts->clock = kernel.clock;
    parts->presence = std::make_shared<Presence>();
    parts->zones = TimeZones::parse("# version\nZ Europe/Berlin 0:53:28 - LMT\n1 E CE%sT\nL Europe/Berlin Europe/Oslo\n");
  }
  ~World() { parts->database->close(); }

  template <class T> T wait(boost::asio::awaitable<T> work) { return kernel.wait(std::move(work)); }
  Result<Nothing> create(const UserId& id, const std::string& username, const std::string& display_name = std::string()) {
    CreateProfile request;
    request.id = id;
    request.username = username;
    request.display_name = display_name;
    return wait(directory.on(Context(), request));
  }
  UserId person(const std::string& username, const std::string& display_name = std::string()) {
    const auto id = kernel.kernel.ids->make<UserId>();
    REQUIRE(create(id, username, display_name));
    return id;
  }
  Context as(const UserId& id, const std::string& role = "member") const { return kernel.as(Uuid(id), std::vector<std::string>(1, role)); }
  Result<Profile> see(const Context& viewer, const UserId& id) {
    GetUser request;
    request.id = id;
    return wait(users.on(viewer, request));
  }
  Result<OwnProfile> me(const UserId& id) { return wait(users.on(as(id), GetMe())); }
  Result<OwnProfile> update(const UserId& id, const UpdateMe& request, const std::string& key = std::string()) {
    return wait(users.on(as(id).keyed(key), request));
  }
  Result<Nothing> block(const UserId& id, const UserId& other) {
    BlockUser request;
    request.user = other;
    return wait(users.on(as(id), request));
  }
  void lease(const UserId& id, const std::string& instance, const std::string& state, milliseconds lasts) {
    realtime::PresenceChanged event;
    event.user_id = id;
    event.instance = instance;
    event.state = state;
    event.until = kernel.clock->now() + lasts;
    parts->presence->apply(event, kernel.clock->now());
  }
  std::vector<std::string> events(const std::string& type) const {
    std::vector<std::string> out;
    for (const auto& event : kernel.bus->appended)
      if (event.type == type) out.push_back(event.data);
    return out;
  }
};

inline std::vector<std::string> names(const Profiles& page) {
  std::vector<std::string> out;
  for (const auto& one : page.items) out.push_back(one.username);
  return out;
}
template <class T> std::string pointer_of(const Result<T>& result) {
  REQUIRE(!result);
  const auto error = result.error();
  return error.fields.empty() ? std::string() : error.fields[0].pointer;
}
template <class T> Errc code_of(const Result<T>& result) {
  REQUIRE(!result);
  return result.error().code;
}

}  // namespace loggia::user::testing
