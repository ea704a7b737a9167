#pragma once
// From a store's threads back to the coroutine that asked: for the real store and the simulator's.
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <memory>
#include "loggia/kernel/contract.hpp"
#include "storage/done.hpp"

namespace loggia::storage {

/// Waits for `Done`, wherever it is called, on the caller's own executor. `start(done)` is false where nothing was taken.
template <class Start> Async<bool> answered(Start start) {
  namespace asio = boost::asio;
  auto home = co_await asio::this_coro::executor;
  auto answer = std::make_shared<Result<bool>>(Error(Errc::unavailable, "the storage has too much to do, or is closing; try again in a second"));
  const auto initiate = [&](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    const auto resume = [home, shared] { asio::post(home, [shared] { std::move (*shared)(); }); };
    const bool taken = start([answer, resume](Result<bool> result) {
      *answer = std::move(result);
      resume();
    });
    if (!taken) resume();
  };
  auto pending = asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
  co_await std::move(pending);
  co_return std::move(*answer);
}

/// The same for a thread that may block.
template <class Start> Result<bool> blocked(Start start) {
  auto promise = std::make_shared<std::promise<Result<bool>>>();
  auto answer = promise->get_future();
  if (!start([promise](Result<bool> result) { promise->set_value(std::move(result)); })) return Error(Errc::unavailable, "the storage is closed");
  return answer.get();
}

}  // namespace loggia::storage
