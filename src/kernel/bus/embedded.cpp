// The log in the modules' own databases is all there is: groups read it here, and followers are told of each event at its commit.
#include "bus/bus_here.hpp"

namespace loggia {
namespace {

class EmbeddedBus final : public bus::BusHere {
 public:
  using BusHere::BusHere;
  ~EmbeddedBus() override { stop(); }

 protected:
  std::shared_ptr<bus::Feed> feed(const Subscription& subscription, const std::shared_ptr<bus::LogHere>& log) override {
    return std::make_shared<bus::LogFeed>(log, subscription.topic);
  }
  Result<bool> begin() override { return true; }
  void published(bus::LogHere& from, const EventPtr& event) override {
    tell(event);
    for (const auto& group : *groups())
      if (group->subscription().topic == event->topic && group->feed().producer() == from.module()) group->wake(event->partition);
  }
  void end() override {}
};

}  // namespace

std::shared_ptr<Bus> embedded_bus(BusOptions options) { return std::make_shared<EmbeddedBus>(std::move(options)); }

}  // namespace loggia
