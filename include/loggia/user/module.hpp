#pragma once
// The user module for the composition root: main.cpp lists it.
#include "loggia/kernel/module.hpp"

namespace loggia::user {

ModuleDescriptor module();

}  // namespace loggia::user
