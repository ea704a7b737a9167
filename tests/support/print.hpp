#pragma once
// How doctest shows what the kernel has: a Result by its error, a Time as on the wire. Include it after doctest, before the first CHECK.
#include <doctest/doctest.h>
#include "loggia/kernel/id.hpp"
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/time.hpp"

namespace doctest {
template <class T> struct StringMaker<loggia::Result<T>> {
  static String convert(const loggia::Result<T>& result) {
    if (result) return "a value";
    return ("the error " + std::string(loggia::fault(result.error().code).code) + ": " + result.error().detail).c_str();
  }
};
template <> struct StringMaker<loggia::Time> {
  static String convert(const loggia::Time& time) { return loggia::to_rfc3339(time).c_str(); }
};
template <class Tag> struct StringMaker<loggia::Id<Tag>> {
  static String convert(const loggia::Id<Tag>& id) { return id.text().c_str(); }
};
}  // namespace doctest
