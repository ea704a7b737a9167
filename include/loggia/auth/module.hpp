#pragma once
// The auth module for the composition root: main.cpp lists it.
#include "loggia/kernel/module.hpp"

namespace loggia::auth {

ModuleDescriptor module();

}  // namespace loggia::auth
