#include "discovery/peer.hpp"
#include <algorithm>
#include <cmath>
#include <tuple>

namespace loggia::discovery {
namespace {

constexpr std::chrono::duration<double> latency_memory{2.0};
/// An instance that has not answered yet costs this; so does none less, for 0.1 ms or 0.3 ms is chance.
constexpr double least_ms = 1;
/// The preferred one is passed by when it is this much slower than the next, or so many more calls wait for it.
constexpr double slower_times = 3, slower_ms = 10;
constexpr std::size_t fuller_times = 8, fuller_by = 32;
constexpr milliseconds stale_after{1000};

double seconds_between(Moment from, Moment to) { return std::max(0.0, std::chrono::duration<double>(to - from).count()); }

/// Without calls nothing is learnt, so what is known is forgotten: one that was slow is tried again some time.
double latency_now(const Peer& peer, Moment now) {
  if (peer.in_flight > 0) return peer.latency_ms;
  return peer.latency_ms * std::exp(-seconds_between(peer.sampled, now) / latency_memory.count());
}

void sample(Peer& peer, Moment now, milliseconds took) {
  const auto ms = static_cast<double>(took.count());
  const double keep = peer.latency_ms == 0 ? 0 : std::exp(-seconds_between(peer.sampled, now) / latency_memory.count());
  peer.latency_ms = peer.latency_ms * keep + ms * (1 - keep);
  peer.sampled = now;
}

void eject(Peer& peer, bool gone, Moment now, const BalancerOptions& options) {
  const auto doubled = options.eject_min * (1 << std::min(peer.ejections, 10));
  peer.until = now + std::min(doubled, options.eject_max);
  ++peer.ejections;
  peer.out = true;
  peer.gone = gone;
  peer.failures = 0;
  if (peer.ejected) peer.ejected->add();
}

void bring_back(Peer& peer) {
  peer.out = peer.gone = false;
  peer.failures = 0;
  // What it was like before says nothing; the first answers will.
  peer.latency_ms = 0;
}

std::uint64_t mixed(std::uint64_t x) {  // the finish of splitmix64
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}
std::uint64_t hashed(std::string_view text, std::uint64_t seed) {  // FNV-1a; the same in every process
  std::uint64_t out = 14695981039346656037u ^ seed;
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return mixed(out);
}

PeerPtr cheaper(const PeerPtr& one, const PeerPtr& other, Moment now) { return cost(*other, now) < cost(*one, now) ? other : one; }

PeerPtr of_two(const PeerList& peers, Moment now, Random& random) {
  if (peers.size() == 1) return peers.front();
  const auto first = random.below(peers.size());
  auto second = random.below(peers.size() - 1);
  if (second >= first) ++second;
  return cheaper(peers[first], peers[second], now);
}

/// Rendezvous hashing: the first in an order of the instances that is the key's own.
PeerPtr preferred(PeerList peers, const std::string& key, Moment now) {
  const auto weight = [&](const PeerPtr& peer) { return hashed(peer->address, hashed(key, 0)); };
  const auto heavier = [&](const PeerPtr& one, const PeerPtr& other) { return weight(one) > weight(other); };
  const auto two = peers.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(peers.size()));
  std::partial_sort(peers.begin(), two, peers.end(), heavier);
  if (peers.size() == 1) return peers.front();
  const auto &first = *peers[0], &second = *peers[1];
  // One that has not been asked for a while is asked by one call, not by all that were meant for it.
  const bool stale = now - first.sampled > stale_after;
  const double latency = latency_now(first, now) * (stale ? static_cast<double>(first.in_flight + 1) : 1.0);
  const bool slow = latency > slower_times * std::max(latency_now(second, now), least_ms) + slower_ms;
  const bool full = first.in_flight > fuller_times * (second.in_flight + 1) + fuller_by;
  return slow || full ? peers[1] : peers[0];
}

/// Where none is usable: rather one that answers badly than one that cannot be reached, rather one that is soon to be tried again.
PeerPtr least_bad(const PeerList& peers) {
  const auto better = [](const PeerPtr& one, const PeerPtr& other) {
    return std::tuple(one->gone, one->until, one->in_flight) < std::tuple(other->gone, other->until, other->in_flight);
  };
  return *std::min_element(peers.begin(), peers.end(), better);
}

}  // namespace

News answered(Peer& peer, Moment now, std::optional<milliseconds> took) {
  const bool was_out = peer.out;
  if (was_out) bring_back(peer);
  else if (peer.ejections > 0 && now - peer.until > std::chrono::seconds(30)) peer.ejections = 0;
  peer.failures = 0;
  peer.heard = now;
  if (took) sample(peer, now, *took);
  return was_out ? News::back : News::nothing;
}

News failed(Peer& peer, Reach reach, Moment now, bool others_usable, const BalancerOptions& options) {
  if (reach == Reach::answered || reach == Reach::turned_away) peer.heard = now;
  const bool gone = reach == Reach::lost || not_begun(reach);
  if (peer.out) {
    peer.gone = peer.gone || gone;
    if (peer.until <= now) eject(peer, peer.gone || gone, now, options);  // it was on trial
    return News::nothing;
  }
  ++peer.failures;
  // What all instances answer alike is no fault of this one.
  const bool too_many = peer.failures >= options.failures_max && (others_usable || reach != Reach::answered);
  if (!gone && !too_many) return News::nothing;
  eject(peer, gone, now, options);
  return News::out;
}

News checked(Peer& peer, bool well, Moment now, const BalancerOptions& options) {
  if (well) {
    peer.heard = now;
    // Well to a check and bad to calls: that one waits for its time.
    if (!peer.out || (!peer.gone && now < peer.until)) return News::nothing;
    bring_back(peer);
    return News::back;
  }
  if (peer.out && peer.gone) return News::nothing;
  const bool was_out = peer.out;
  eject(peer, true, now, options);
  return was_out ? News::nothing : News::out;
}

bool usable(const Peer& peer, Moment now, bool checks) {
  if (!peer.out) return true;
  // One call at a time finds out; of what was gone a check does, without a call that would pay for it.
  return !(peer.gone && checks) && peer.until <= now && peer.in_flight == 0;
}

double cost(const Peer& peer, Moment now) { return std::max(latency_now(peer, now), least_ms) * static_cast<double>(peer.in_flight + 1); }

PeerPtr choose(const PeerList& peers, const std::set<const Peer*>& tried, const std::string& affinity, Moment now, bool checks, Random& random) {
  PeerList well, left;
  for (const auto& peer : peers) {
    if (tried.contains(peer.get())) continue;
    left.push_back(peer);
    if (usable(*peer, now, checks)) well.push_back(peer);
  }
  if (left.empty()) return nullptr;
  if (well.empty()) return least_bad(left);
  return affinity.empty() ? of_two(well, now, random) : preferred(std::move(well), affinity, now);
}

RetryBudget::RetryBudget(const BalancerOptions& options, Moment now)
    : per_call_{options.retries_per_call},
      per_second_{options.retries_per_second},
      most_{options.retries_at_once},
      tokens_{std::min(most_, 10 * per_second_)},
      last_{now} {}

void RetryBudget::pass(Moment now) {
  tokens_ = std::min(most_, tokens_ + seconds_between(last_, now) * per_second_);
  last_ = std::max(last_, now);
}
void RetryBudget::call(Moment now) {
  pass(now);
  tokens_ = std::min(most_, tokens_ + per_call_);
}
bool RetryBudget::take(Moment now) {
  pass(now);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace loggia::discovery
