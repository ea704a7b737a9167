// Two threads: one keeps this process in etcd, one follows who else is there. What etcd said last is used on while it is away.
#include <condition_variable>
#include <thread>
#include "discovery/directory.hpp"
#include "discovery/etcd/form.hpp"
#include "discovery/etcd/gateway.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace discovery {
namespace {

using etcd::Endpoints;
using etcd::Gateway;

constexpr std::string_view what_is_used = "; what it said last is used on", how_to_mend = ". Is it running, and is discovery.etcd.endpoints right?";

/// What ails etcd, as each of the threads sees it; told once as it begins and once as it ends.
class Ailing {
 public:
  void is(std::size_t who, const std::string& why) {
    {
      const std::lock_guard lock(mutex_);
      why_[who] = why;
      if (std::exchange(told_, true)) return;
    }
    log::warn("discovery.etcd_away", Field("why", why));
  }
  void is_well(std::size_t who) {
    {
      const std::lock_guard lock(mutex_);
      why_[who].clear();
      heard_ = true;
      if (!why_[0].empty() || !why_[1].empty() || !std::exchange(told_, false)) return;
    }
    log::info("discovery.etcd_back");
  }
  std::string trouble() const {
    const std::lock_guard lock(mutex_);
    const auto& why = why_[0].empty() ? why_[1] : why_[0];
    return why.empty() ? why : "etcd: " + why + std::string(heard_ ? what_is_used : "") + std::string(how_to_mend);
  }

 private:
  mutable std::mutex mutex_;
  std::string why_[2];
  bool told_ = false, heard_ = false;
};

/// A wait that stop() or poke() ends.
class Pause {
 public:
  /// False: it is over for good.
  bool wait(milliseconds limit) {
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, limit, [this] { return stopped_ || poked_; });
    poked_ = false;
    return !stopped_;
  }
  void poke() {
    const std::lock_guard lock(mutex_);
    poked_ = true;
    woken_.notify_all();
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    woken_.notify_all();
  }
  bool stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  bool stopped_ = false, poked_ = false;
};

/// Keeps the own instances under a lease. All but missing() and stop() on its thread.
class Registration {
 public:
  Registration(const EtcdOptions& options, std::vector<Instance> own, Ailing& ailing)
      : options_{options}, own_{std::move(own)}, ailing_{ailing}, endpoints_{options.endpoints}, gateway_{etcd::make_gateway()} {}

  void run(Latch& first) {
    for (bool once = true;;) {
      const bool well = turn();
      if (std::exchange(once, false)) first.count_down();
      if (!pause_.wait(well ? options_.keep_every : options_.look_again)) break;
    }
    // Others need not wait for the lease to end.
    if (!lease_.empty()) etcd::make_gateway()->post(endpoints_.current(), "/v3/lease/revoke", etcd::about_lease(lease_), options_.limit);
  }
  /// Somebody took the keys away.
  void missing() {
    missing_ = true;
    pause_.poke();
  }
  void stop() {
    pause_.stop();
    gateway_->stop();
  }

 private:
  /// One endpoint after the other, until one does.
  bool turn() {
    std::string why;
    for (std::size_t count = 0; count < endpoints_.size() && !pause_.stopped(); ++count) {
      auto done = keep();
      if (done) {
        ailing_.is_well(0);
        return true;
      }
      why = done.error().detail;
      endpoints_.next();
    }
    if (!pause_.stopped()) ailing_.is(0, why);
    return false;
  }

  Result<bool> keep() {
    if (!lease_.empty()) {
      auto kept = ask("/v3/lease/keepalive", etcd::about_lease(lease_));
      if (!kept) return kept.error();
      const auto lease = etcd::lease_of(*kept);
      if (!lease) return lease.error();
      if (lease->lifetime > 0 && !missing_) return true;
      if (lease->lifetime == 0) {
        log::warn("discovery.lease_lost", Field("etcd", endpoints_.current()));
        lease_.clear();
      }
    }
    missing_ = false;
    if (lease_.empty()) {
      auto granted = ask("/v3/lease/grant", etcd::grant(options_.lease));
      if (!granted) return granted.error();
      const auto lease = etcd::lease_of(*granted);
      if (!lease) return lease.error();
      lease_ = lease->id;
    }
    for (const auto& instance : own_) {
      auto put = ask("/v3/kv/put", etcd::put(options_.prefix, instance, lease_));
      if (put) continue;
      if (put.error().code == Errc::not_found) lease_.clear();  // gone between the two
      missing_ = true;
      return put.error();
    }
    return true;
  }

  Result<std::string> ask(const char* path, const std::string& body) { return gateway_->post(endpoints_.current(), path, body, options_.limit); }

  const EtcdOptions& options_;
  const std::vector<Instance> own_;
  Ailing& ailing_;
  Endpoints endpoints_;
  const std::unique_ptr<Gateway> gateway_;
  Pause pause_;
  std::string lease_;
  std::atomic<bool> missing_{false};
};

/// Keeps the lists. All but stop() on its thread.
class Following {
 public:
  Following(const EtcdOptions& options, std::shared_ptr<Clock> clock, Directory& directory, Ailing& ailing, std::function<void()> heard)
      : options_{options},
        clock_{std::move(clock)},
        directory_{directory},
        ailing_{ailing},
        heard_{std::move(heard)},
        endpoints_{options.endpoints},
        gateway_{etcd::make_gateway()} {}

  /// `refusal`: what a person has to mend, of the first turn.
  void run(Latch& first, Error& refusal) {
    int failures = 0;
    bool once = true;
    for (;;) {
      auto listed = list();
      if (once) refusal = !listed && listed.error().code == Errc::invalid_request ? listed.error() : Error();
      const bool all_asked = listed || ++failures % static_cast<int>(endpoints_.size()) == 0;
      if (all_asked && !listed && !pause_.stopped()) ailing_.is(1, listed.error().detail);
      if (all_asked && std::exchange(once, false)) first.count_down();
      if (listed) {
        failures = 0;
        follow();
      }
      if (!listed || !well_) {
        away_ = true;
        endpoints_.next();
      }
      if (!pause_.wait(all_asked ? options_.look_again : milliseconds(0))) break;
    }
    if (once) first.count_down();
  }
  void stop() {
    pause_.stop();
    gateway_->stop();
  }
  bool has(const Instance& instance) const { return keys_.contains(etcd::key_of(options_.prefix, instance)); }

 private:
  Result<bool> list() {
    auto answer = gateway_->post(endpoints_.current(), "/v3/kv/range", etcd::list_all(options_.prefix), options_.limit);
    auto listing = answer ? etcd::listing_of(*answer) : Result<etcd::Listing>(answer.error());
    if (!listing) return listing.error();
    ailing_.is_well(1);
    // After an absence, or from an etcd that has forgotten, what is missing may only not have come back yet.
    if (std::exchange(away_, false) || listing->revision < revision_) hold_until_ = clock_->moment() + options_.hold;
    if (listing->revision < revision_) log::warn("discovery.etcd_forgot", Field("revision", listing->revision), Field("before", revision_));
    revision_ = listing->revision;
    keys_ = std::move(listing->keys);
    show();
    return true;
  }

  void follow() {
    well_ = true;
    auto next_look = clock_->moment() + options_.look_every;
    const auto line = [this](std::string_view text) {
      const auto change = etcd::change_of(text);
      if (!change || change->ended) return false;
      for (const auto& key : change->put) keys_.insert(key);
      for (const auto& key : change->gone) keys_.erase(key);
      revision_ = std::max(revision_, change->revision);
      if (!change->put.empty() || !change->gone.empty()) show();
      return true;
    };
    // A node that hangs ends no stream; so it is asked beside it.
    const auto idle = [this, &next_look] {
      if (clock_->moment() < next_look) return true;
      next_look = clock_->moment() + options_.look_every;
      well_ = list().has_value();
      return well_;
    };
    const auto every = std::min(options_.look_every, milliseconds(250));
    if (auto ended = gateway_->watch(endpoints_.current(), etcd::watch_all(options_.prefix, revision_ + 1), line, every, idle); !ended) well_ = false;
  }

  void show() {
    auto peers = etcd::peers_of(options_.prefix, keys_);
    if (clock_->moment() < hold_until_)
      for (const auto& [module, addresses] : directory_.all()) {
        auto& now = peers[module];
        now.insert(now.end(), addresses.begin(), addresses.end());
      }
    directory_.replace(std::move(peers));
    heard_();
  }

  const EtcdOptions& options_;
  const std::shared_ptr<Clock> clock_;
  Directory& directory_;
  Ailing& ailing_;
  const std::function<void()> heard_;
  Endpoints endpoints_;
  const std::unique_ptr<Gateway> gateway_;
  Pause pause_;
  std::set<std::string> keys_;
  std::int64_t revision_ = 0;
  Moment hold_until_{};
  bool away_ = false, well_ = true;
};

class EtcdDiscovery final : public Discovery {
 public:
  EtcdDiscovery(EtcdOptions options, std::shared_ptr<Clock> clock) : options_{std::move(options)}, clock_{std::move(clock)} {}
  ~EtcdDiscovery() override { end(); }

  Result<bool> start(std::vector<Instance> own) override {
    first_ = std::make_shared<Latch>(own.empty() ? 1 : 2);
    if (!own.empty()) {
      registration_ = std::make_unique<Registration>(options_, own, ailing_);
      registering_ = std::thread([this] { registration_->run(*first_); });
    }
    auto heard = [this, own] {
      for (const auto& instance : own)
        if (!following_->has(instance)) return registration_->missing();
    };
    following_ = std::make_unique<Following>(options_, clock_, directory_, ailing_, std::move(heard));
    watching_ = std::thread([this] { following_->run(*first_, refusal_); });
    const auto limit = (options_.limit * 3 + milliseconds(500)) * static_cast<int>(options_.endpoints.size());
    if (!first_->wait(limit) || refusal_.detail.empty()) return true;  // one that is away is waited for no longer
    end();
    return Error(Errc::invalid_request, refusal_.detail + ". Is this an etcd of 3.4 or later without users, and discovery.etcd.endpoints right?");
  }
  void stop() override { end(); }

  std::vector<std::string> instances(const std::string& module) const override { return directory_.instances(module); }
  Watch on_change(std::function<void(const std::string& module)> handler) override { return directory_.watch(std::move(handler)); }
  std::string trouble() const override { return ailing_.trouble(); }

 private:
  void end() {
    if (following_) following_->stop();
    if (watching_.joinable()) watching_.join();
    if (registration_) registration_->stop();
    if (registering_.joinable()) registering_.join();
  }

  const EtcdOptions options_;
  const std::shared_ptr<Clock> clock_;
  Directory directory_;
  Ailing ailing_;
  Error refusal_;
  std::shared_ptr<Latch> first_;
  std::unique_ptr<Registration> registration_;
  std::unique_ptr<Following> following_;
  std::thread registering_, watching_;
};

}  // namespace
}  // namespace discovery

bool etcd_can_be_reached() { return discovery::etcd::can_reach_etcd(); }

std::shared_ptr<Discovery> etcd_discovery(EtcdOptions options, std::shared_ptr<Clock> clock) {
  return std::make_shared<discovery::EtcdDiscovery>(std::move(options), std::move(clock));
}

}  // namespace loggia
