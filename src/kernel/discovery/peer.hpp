#pragma once
// What a balancer knows of its instances, and which of them the next call goes to. Pure: moments and chance are handed in; the balancer's lock
// is around all of it.
#include <set>
#include "loggia/kernel/discovery.hpp"

namespace loggia::discovery {

using Reach = InstanceTransport::Reach;

/// Calls under way that may be sent again, told when their instance is lost.
class Race;

struct Peer {
  std::string address;
  std::shared_ptr<InstanceTransport> transport;
  std::size_t in_flight = 0;
  /// Of answers, as a mean whose memory is `latency_memory`; and when the newest one came.
  double latency_ms = 0;
  Moment sampled{};
  Moment heard{};  // of an answer, or of a check that went well
  int failures = 0;
  /// Out: because it could not be reached (`gone`), or for what it answered.
  bool out = false, gone = false;
  Moment until{};
  int ejections = 0;
  bool checking = false;
  std::vector<std::weak_ptr<Race>> races;
  std::map<std::string_view, Counter*> results;
  Counter* ejected = nullptr;
};
using PeerPtr = std::shared_ptr<Peer>;
using PeerList = std::vector<PeerPtr>;

/// Whoever was called has done nothing, and may be passed by.
constexpr bool not_begun(Reach reach) { return reach == Reach::unsent || reach == Reach::turned_away; }

enum class News { nothing, out, back };

/// A call or a check began or came to its end.
News answered(Peer& peer, Moment now, std::optional<milliseconds> took);
News failed(Peer& peer, Reach reach, Moment now, bool others_usable, const BalancerOptions& options);
News checked(Peer& peer, bool well, Moment now, const BalancerOptions& options);

/// Whether the next call may go there.
bool usable(const Peer& peer, Moment now, bool checks);
/// The latency times who waits for it: what choosing it would cost.
double cost(const Peer& peer, Moment now);

/// Which of `peers` a call takes that was not at one of `tried` yet; nothing where none is left.
PeerPtr choose(const PeerList& peers, const std::set<const Peer*>& tried, const std::string& affinity, Moment now, bool checks, Random& random);

/// How many calls may be sent again.
class RetryBudget {
 public:
  RetryBudget(const BalancerOptions& options, Moment now);
  void call(Moment now);
  bool take(Moment now);

 private:
  void pass(Moment now);
  const double per_call_, per_second_, most_;
  double tokens_;
  Moment last_;
};

}  // namespace loggia::discovery
