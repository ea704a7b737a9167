#pragma once
// The realtime module for the composition root: main.cpp lists it.
#include "loggia/kernel/module.hpp"

namespace loggia::realtime {

ModuleDescriptor module();

}  // namespace loggia::realtime
