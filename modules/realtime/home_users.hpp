#pragma once
// The users whose home is this shard: their connections in this instance, their leases in all, what is told of their presence.
// On the node's shard only.
#include <boost/asio/awaitable.hpp>
#include <string>
#include <unordered_map>
#include "loggia/chat/events.hpp"
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/http.hpp"
#include "presence.hpp"

namespace loggia::realtime {

class Node;

class HomeUsers {
 public:
  explicit HomeUsers(Node& node) : node_{node} {}

  void open(const UserId& user, Connection connection);
  void close(const UserId& user, std::uint64_t number);
  void set_away(const UserId& user, std::uint64_t number, bool away);
  /// From `user-status-updates`.
  void lease(const PresenceChanged& lease);
  /// What others may see of the user changed: status text, show_presence.
  void changed(const UserId& user);
  /// From `notifications`, for who is connected.
  void notification(const UserId& user, const EventPtr& event);
  /// The reader's own devices learn what is unread now.
  void own_receipt(const chat::ReceiptMoved& moved);
  /// To the user's connections on every shard.
  void push(const UserId& user, const SharedBytes& frame);
  bool connected(const UserId& user) const;
  void tick();
  /// The leases of this instance end.
  void end();

 private:
  void signal(const UserId& user);
  void close_displaced(const UserId& user);
  void announce(const UserId& user, bool in_any_case);
  static boost::asio::awaitable<void> tell(HomeUsers* homes, UserId user);

  static boost::asio::awaitable<void> send_own_receipt(HomeUsers* homes, chat::ReceiptMoved moved);

  struct Told {
    std::string state = "offline";
    bool telling = false, again = false, in_any_case = false;
  };
  Node& node_;
  bool others_ = false;  // another instance has said something
  Connections connections_;
  Leases leases_;
  std::unordered_map<UserId, Told> told_;
};

}  // namespace loggia::realtime
