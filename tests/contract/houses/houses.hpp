#pragma once
// A house is one module on the kernel's fakes, with what it needs of others played: the same here and in contract_server, to the byte,
// because time stands, chance has a seed and people are fixed.
#include <memory>
#include <string>
#include <vector>
#include "loggia/ids.hpp"
#include "support/fakes.hpp"

namespace loggia::contract {

/// Ada, Bob, Cid, Dan: 1 to 4.
UserId person(int number);
std::string name_of(int number);
/// The one room of the notification house, in which Ada wrote the messages 1 and 2: in 1 she named Bob.
RoomId noted_room();

class House {
 public:
  virtual ~House() = default;
  virtual Kernel& kernel() = 0;
  virtual std::shared_ptr<test::InlineShards> shards() = 0;
  virtual const ModuleDescriptor& module() const = 0;
  /// Time goes on by a millisecond with each call, so that what is younger has a later time and id.
  virtual void step() = 0;
};

/// The modules that offer ports.
std::vector<std::string> house_names();
/// Those that offer none: sockets and HTTP are their contract.
std::vector<ModuleDescriptor> modules_without_ports();
/// Of the product, and the library: who may call whom.
std::vector<ModuleDescriptor> all_modules();
/// Of a module that has a house.
ModuleDescriptor module_of(const std::string& name);
std::unique_ptr<House> open_house(const std::string& name);

/// Mounts the house's routes on `router`, each a step in time.
void mount_house(House& house, Router& router);

}  // namespace loggia::contract
