#pragma once
// What each request of the protocol does: it asks chat for the connection's user. Coroutines on the connection's shard.
#include <boost/asio/awaitable.hpp>
#include "session.hpp"

namespace loggia::realtime {

/// Runs one request and answers it.
boost::asio::awaitable<void> serve(std::shared_ptr<Session> session, Request request);
/// Runs plain sends into one room, in their order and in one call, and answers each.
boost::asio::awaitable<void> serve_sends(std::shared_ptr<Session> session, std::vector<Request> requests);
/// Of `hello`; answers it.
boost::asio::awaitable<void> say_hello(std::shared_ptr<Session> session, std::int64_t id, HelloOp hello);
/// Asks why the user is not in these rooms, and says so: part of a resume.
boost::asio::awaitable<void> tell_absences(std::shared_ptr<Session> session, std::vector<RoomId> rooms);
boost::asio::awaitable<void> read_page(std::shared_ptr<Session> session, RoomId room, std::int64_t after, std::int64_t limit);

}  // namespace loggia::realtime
