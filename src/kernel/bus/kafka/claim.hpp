#pragma once
// Of several processes on one store, one relays its log: it holds a lease there. Two that both believe to hold it (one was frozen, a clock
// jumped) send everything twice and nothing in a wrong order, which consumers drop. For bus/kafka alone.
#include <string>
#include "bus/log_here.hpp"

namespace loggia::kafka {

/// Used by one thread; ours() from any.
class Claim {
 public:
  /// `who`: this process, as no other is called. A store that is no other's (SQLite) needs no lease.
  Claim(std::shared_ptr<bus::LogHere> log, std::string who, std::shared_ptr<Clock> clock);
  bool ours() const { return ours_.load(); }
  /// Takes, renews, or finds that another has it; blocking, when it is time to. True when it is ours now and was not before.
  bool look();
  /// Another may have it at once.
  void give_up();

 private:
  Result<bool> take(Transaction& transaction, const std::string& value, Time now, Moment moment);
  std::shared_ptr<bus::LogHere> log_;
  std::string who_;
  std::shared_ptr<Clock> clock_;
  std::atomic<bool> ours_{false};
  Moment looked_{}, until_{};
  std::string seen_;  // what was stored, and since when it is
  Moment seen_at_{};
  bool looked_once_ = false;
};

}  // namespace loggia::kafka
