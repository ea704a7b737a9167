#pragma once
// A port that answers nothing; a fake derives from it and overrides what its test expects to be asked.
#include "loggia/kernel/contract.hpp"

namespace loggia::test {

template <class P, class... Rs> struct Unanswered : P {};
template <class P, class R, class... Rest> struct Unanswered<P, R, Rest...> : Unanswered<P, Rest...> {
  using Unanswered<P, Rest...>::on;
  Async<typename R::Reply> on(Context, R) override { co_return Error(Errc::internal, "a test asked what it did not expect"); }
};
template <class P> struct UnansweredPort;
template <class... Rs> struct UnansweredPort<Port<Rs...>> : Unanswered<Port<Rs...>, Rs...> {};

}  // namespace loggia::test
