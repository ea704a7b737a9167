#pragma once
// The only door from outside. The gateway answers no requests of other modules: it offers nothing.
namespace loggia::gateway {}
