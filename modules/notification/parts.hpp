#pragma once
// What the parts of this module share. All of it is safe from every thread.
#include <functional>
#include <memory>
#include <string>
#include "choices.hpp"
#include "loggia/chat/contract.hpp"
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/module.hpp"
#include "loggia/user/contract.hpp"
#include "presence.hpp"
#include "time_zone.hpp"

namespace loggia::notification {

struct Parts {
  explicit Parts(const Ports& all) : ports{all} {}
  /// Asked only once every module is made.
  const Ports& ports;
  std::shared_ptr<Database> database;
  std::shared_ptr<Log> log;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Ids> ids;
  Choices choices;
  std::function<void(const UserId&)> tell_others;  // that somebody has chosen, where other processes have the same store; may be empty
  Zones zones;
  Presence presence;
  bool mail = false;                       // whether this server sends any
  milliseconds mail_after{300000};         // notification.mail_after
  Time mails_from{};                       // none before: who is here is not known yet
  std::function<void()> wake_mail;         // something waits to be mailed; may be empty
  std::function<std::string()> link_base;  // where links in mails lead
};

/// A message, as it is judged for some people.
struct Message {
  RoomId room;
  std::int64_t seq = 0;
  Time at{};
};
struct Judged {
  UserId user;
  Decision decision;
};

/// Decides for those recipients whose level lets the message through; for all of them where `everybody`. Asks user for blocks, and for
/// time zones where quiet hours are set.
Async<std::vector<Judged>> judge(std::shared_ptr<Parts> parts, Context context, Message message, chat::Recipients recipients, bool everybody);

}  // namespace loggia::notification
