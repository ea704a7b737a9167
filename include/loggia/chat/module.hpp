#pragma once
// The chat module for the composition root: main.cpp lists it.
#include "loggia/kernel/module.hpp"

namespace loggia::chat {

ModuleDescriptor module();

}  // namespace loggia::chat
