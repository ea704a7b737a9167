#pragma once
// The attempts of one call that may be sent again: they run beside the caller, who is told of each end, and of an instance that is lost while an
// attempt still waits for it. Of one shard; lose() from everywhere.
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <vector>
#include "discovery/peer.hpp"

namespace loggia::discovery {

class Race : public std::enable_shared_from_this<Race> {
 public:
  struct Leg {
    PeerPtr peer;
    Reach reach = Reach::untried;
    std::optional<Result<Answer>> result;
    bool lost = false;
  };
  explicit Race(Executor executor);

  std::shared_ptr<Leg> add(PeerPtr peer);
  void finish(Leg& leg, Result<Answer> result);
  /// Nothing more is to be expected of that instance.
  void lose(const PeerPtr& peer);
  /// It takes long.
  void hasten();

  /// Until something has happened since the last time.
  boost::asio::awaitable<void> news();
  /// What the caller is told at once, whatever else is under way. A refusal says nothing of an attempt before it that may have happened.
  std::optional<Result<Answer>> answer(bool changes) const;
  bool running() const;
  /// How many attempts reached their instance, or may still; and whether the last one did.
  int reached() const;
  bool last_reached() const;
  /// Another instance should be tried now.
  bool wants_another();
  /// Of attempts of which none was answered for good: what may have happened before that nothing did.
  Result<Answer> failure(bool changes) const;

 private:
  void wake();

  const Executor executor_;
  boost::asio::steady_timer wake_;
  std::vector<std::shared_ptr<Leg>> legs_;
  bool news_ = false, hasty_ = false;
};

/// Whether another instance may have a better result.
bool worth_retrying(const Result<Answer>& result);

}  // namespace loggia::discovery
