#pragma once
// For an execution context whose time is not the clock's (the simulator): sleep_for() asks it, where it has this service.
#include <boost/asio/execution_context.hpp>
#include <functional>
#include "loggia/kernel/contract.hpp"

namespace loggia {

class VirtualTime : public boost::asio::execution_context::service {
 public:
  using key_type = VirtualTime;
  inline static boost::asio::execution_context::id id;
  VirtualTime(boost::asio::execution_context& context, std::function<Async<bool>(milliseconds)> sleep) : service{context}, sleep_{std::move(sleep)} {}
  explicit VirtualTime(boost::asio::execution_context& context) : service{context} {}
  Async<bool> sleep(milliseconds duration) { return sleep_(duration); }

 private:
  void shutdown() override {}
  std::function<Async<bool>(milliseconds)> sleep_;
};

}  // namespace loggia
