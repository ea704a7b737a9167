#pragma once
// The notification module for the composition root: main.cpp lists it.
#include "loggia/kernel/module.hpp"

namespace loggia::notification {

ModuleDescriptor module();

}  // namespace loggia::notification
