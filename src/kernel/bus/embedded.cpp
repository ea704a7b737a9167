// The log in the modules' own databases is all there is: groups read it here, and followers are told of each event at its commit.
#include "bus/bus_here.hpp"

namespace loggia {
namespace {

class EmbeddedBus final : public bus::BusHere {
 public:
  using BusHere::BusHere;
  ~EmbeddedBus() override { stop(); }

 protected:
  std::shared_ptr<bus::Feed> feed(const Subscription& subscription, std::shared_ptr<bus::LogView> log) override {
    return std::make_shared<bus::LogFeed>(std::move(log), subscription.topic);
  }
  Result<bool> begin() override { return true; }
  void published(bus::LogHere& from, const EventPtr& event) override { tell_all(from.module(), event); }
  void end() override {}
};

}  // namespace

std::shared_ptr<Bus> embedded_bus(BusOptions options) { return std::make_shared<EmbeddedBus>(std::move(options)); }

}  // namespace loggia
