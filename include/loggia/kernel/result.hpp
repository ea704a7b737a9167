#pragma once
// A value or an Error: what is expected to fail returns one (docs/decisions/0009). Its members are std::expected's (C++23, [expected]).
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>
#include "loggia/kernel/error.hpp"

namespace loggia {

/// What `Result::value()` throws where there is an error, and `error()` where there is none; becomes `internal` in one place.
[[noreturn]] void throw_misused_result(const Error* error, const std::source_location& where);

/// Made of a T, of what a T is made of without a cast, or of an Error. As safe between threads as T and Error are.
template <class T> class Result {
  template <class U> static constexpr bool converts = !std::is_same_v<std::remove_cvref_t<U>, Result> && std::is_convertible_v<U, T>;

 public:
  using value_type = T;
  using error_type = Error;

  Result()
    requires std::is_default_constructible_v<T>
      : value_{}, good_{true} {}
  Result(T value) : value_(std::move(value)), good_{true} {}  // no braces: of a json they make an array
  template <class U>
    requires(converts<U> && !std::is_convertible_v<U, Error>)
  Result(U&& value) : value_(std::forward<U>(value)), good_{true} {}
  Result(Error error) : error_{std::move(error)}, good_{false} {}
  Result(const Result& other) : good_{other.good_} {
    if (good_) {
      std::construct_at(&value_, other.value_);
    } else {
      std::construct_at(&error_, other.error_);
    }
  }
  Result(Result&& other) noexcept : good_{other.good_} {
    if (good_) {
      std::construct_at(&value_, std::move(other.value_));
    } else {
      std::construct_at(&error_, std::move(other.error_));
    }
  }
  // One assignment for copies and moves: the argument is made before anything here is given up.
  Result& operator=(Result other) noexcept {
    std::destroy_at(this);
    return *std::construct_at(this, std::move(other));
  }
  ~Result() {
    if (good_) {
      std::destroy_at(&value_);
    } else {
      std::destroy_at(&error_);
    }
  }

  bool has_value() const noexcept { return good_; }
  bool has_error() const noexcept { return !good_; }
  explicit operator bool() const noexcept { return good_; }

  /// Only where has_value() was seen to be true.
  T& operator*() & noexcept { return value_; }
  const T& operator*() const& noexcept { return value_; }
  T&& operator*() && noexcept { return std::move(value_); }
  T* operator->() noexcept { return &value_; }
  const T* operator->() const noexcept { return &value_; }

  T& value(std::source_location where = std::source_location::current()) & {
    must(good_, where);
    return value_;
  }
  const T& value(std::source_location where = std::source_location::current()) const& {
    must(good_, where);
    return value_;
  }
  T&& value(std::source_location where = std::source_location::current()) && {
    must(good_, where);
    return std::move(value_);
  }
  template <class U> T value_or(U&& otherwise) const& { return good_ ? value_ : static_cast<T>(std::forward<U>(otherwise)); }
  template <class U> T value_or(U&& otherwise) && { return good_ ? std::move(value_) : static_cast<T>(std::forward<U>(otherwise)); }

  const Error& error(std::source_location where = std::source_location::current()) const& {
    must(!good_, where);
    return error_;
  }
  Error error(std::source_location where = std::source_location::current()) && {
    must(!good_, where);
    return std::move(error_);
  }

 private:
  void must(bool holds, const std::source_location& where) const {
    if (!holds) [[unlikely]] {
      throw_misused_result(good_ ? nullptr : &error_, where);
    }
  }

  union {
    T value_;
    Error error_;
  };
  bool good_;
};

}  // namespace loggia
