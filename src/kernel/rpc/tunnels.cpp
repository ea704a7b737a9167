// Which instance a handshake goes to, and what becomes of it where that one does not answer.
#include <algorithm>
#include <map>
#include <mutex>
#include "http/listener.hpp"
#include "http/websocket.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/tunnel.hpp"
#include "rpc/form.hpp"
#include "rpc/knock.hpp"

namespace loggia {
namespace rpc {
namespace {

constexpr int come_again = 3;  // seconds

struct Numbers {
  Numbers(Metrics& all, const std::string& module)
      : open{all.gauge("loggia_tunnels", "Open tunnels to the instances of a module.", {{"module", module}})},
        made{all.counter("loggia_tunnels_total", "Tunnels that were made.", {{"module", module}})},
        failed{all.counter("loggia_tunnel_failures_total", "Handshakes that an instance did not answer.", {{"module", module}})},
        refused{all.counter("loggia_tunnel_refusals_total", "Handshakes that an instance refused.", {{"module", module}})} {}
  Gauge& open;
  Counter& made;
  Counter& failed;
  Counter& refused;
};

/// What is known of the instances from here: how many tunnels each has, and which are left alone for now. Safe from every thread.
class Instances {
 public:
  /// Of two by chance that with fewer tunnels; none of `tried`, none that rests. Counted as a tunnel from now on. Empty: there is none.
  std::string choose(std::vector<std::string> known, const std::vector<std::string>& tried, Moment now, Random& random) {
    const std::lock_guard lock(mutex_);
    std::erase_if(resting_, [now](const auto& one) { return one.second <= now; });
    std::erase_if(known, [&](const auto& one) { return resting_.contains(one) || std::find(tried.begin(), tried.end(), one) != tried.end(); });
    if (known.empty()) return {};
    auto first = random.below(known.size());
    if (known.size() > 1) {
      auto second = random.below(known.size() - 1);
      if (second >= first) ++second;
      if (first > second) std::swap(first, second);
      if (count_of(known[second]) < count_of(known[first])) first = second;
    }
    ++counts_[known[first]];
    return known[first];
  }
  void gone(const std::string& address) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(address);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }
  void rest(const std::string& address, Moment until) {
    const std::lock_guard lock(mutex_);
    resting_[address] = until;
  }

 private:
  std::size_t count_of(const std::string& address) const {
    const auto found = counts_.find(address);
    return found == counts_.end() ? 0 : found->second;
  }
  std::mutex mutex_;
  std::map<std::string, std::size_t> counts_;
  std::map<std::string, Moment> resting_;
};

/// One tunnel, or the attempt at one, in the numbers.
class Counted {
 public:
  Counted(std::shared_ptr<Instances> instances, std::string address) : instances_{std::move(instances)}, address_{std::move(address)} {}
  Counted(const Counted&) = delete;
  ~Counted() {
    instances_->gone(address_);
    if (open_ != nullptr) open_->add(-1);
  }
  void made(Numbers& numbers) {
    numbers.made.add();
    open_ = &numbers.open;
    open_->add(1);
  }

 private:
  const std::shared_ptr<Instances> instances_;
  const std::string address_;
  Gauge* open_ = nullptr;
};

class ToInstances final : public Tunnels {
 public:
  ToInstances(TunnelOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock, std::shared_ptr<Random> random, Metrics& metrics)
      : options_{std::move(options)},
        shards_{std::move(shards)},
        clock_{std::move(clock)},
        random_{std::move(random)},
        metrics_{metrics},
        numbers_{metrics, options_.module} {}

  boost::asio::awaitable<std::optional<HttpResponse>> enter(std::shared_ptr<Upgrade> upgrade, std::string address, Trace trace) override {
    const auto end = clock_->moment() + options_.handshake_timeout;
    const Context context = Context(trace).from(address, std::string());
    std::optional<HttpResponse> leaving;  // what an instance said that is about to go
    std::vector<std::string> tried;
    for (auto now = clock_->moment(); now < end; now = clock_->moment()) {
      auto instance = instances_->choose(options_.peers->addresses(), tried, now, *random_);
      if (instance.empty()) break;
      auto counted = std::make_shared<Counted>(instances_, instance);
      tried.push_back(instance);
      const auto limit = std::min(options_.attempt_timeout, std::chrono::ceil<milliseconds>(end - now));
      const auto sent = knock_at(instance, context, *upgrade, limit);
      auto answer = co_await ask(upgrade->shard(), sent);
      if (answer.far) {
        counted->made(numbers_);
        answer.far->held = std::move(counted);
        upgrade->join(std::move(*answer.far));
        co_return std::nullopt;
      }
      if (answer.refusal && answer.refusal->status != 503) {
        numbers_.refused.add();
        co_return std::move(answer.refusal);
      }
      instances_->rest(instance, clock_->moment() + options_.rest);
      if (answer.refusal) leaving = std::move(answer.refusal);
      else failed(context, instance, answer);
    }
    if (leaving) co_return std::move(leaving);
    Error away(Errc::unavailable, "no instance can be reached: connect again in a moment");
    away.retry_after = come_again;
    co_return problem(away, trace);
  }

 private:
  /// Nothing: the address is none.
  std::shared_ptr<const Knock> knock_at(const std::string& instance, const Context& context, const Upgrade& upgrade, milliseconds limit) const {
    const auto peer = http::parse_listen(instance);
    if (!peer || peer->port() == 0) return nullptr;
    auto out = std::make_shared<Knock>();
    out->peer = *peer;
    out->request = handshake(instance, context, upgrade.request());
    out->accept = http::accept_key(upgrade.request().header("sec-websocket-key"));
    out->module = options_.module;
    out->tls = options_.tls;
    out->limit = limit;
    return out;
  }

  std::string handshake(const std::string& instance, const Context& context, const HttpRequest& request) const {
    std::string out =
        "GET " + std::string(base) + options_.path + " HTTP/1.1\r\nHost: " + instance + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    const auto put = [&out](const auto& field) { (((out += field.first) += ": ") += field.second) += "\r\n"; };
    for (const auto& field : request.headers)
      if (field.first.starts_with("sec-websocket-")) put(field);
    for (const auto& field : headers_of(context, std::nullopt, true)) put(field);
    return out += "\r\n";
  }

  boost::asio::awaitable<Knocked> ask(std::size_t shard, std::shared_ptr<const Knock> sent) {
    if (sent) co_return co_await knock(shards_, shard, sent);
    Knocked out;
    out.why = "that is no address of an instance";
    co_return out;
  }

  void failed(const Context& context, const std::string& instance, const Knocked& answer) {
    numbers_.failed.add();
    if (answer.tls != http::TlsFailure::none) refused(metrics_, std::string(to_text(answer.tls))).add();
    options_.peers->failed(instance);
    log::warn(context, "tunnel.failed", Field("module", options_.module), Field("instance", instance), Field("why", answer.why));
  }

  const TunnelOptions options_;
  const std::shared_ptr<Shards> shards_;
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<Random> random_;
  const std::shared_ptr<Instances> instances_ = std::make_shared<Instances>();
  Metrics& metrics_;
  Numbers numbers_;
};

}  // namespace
}  // namespace rpc

std::shared_ptr<Tunnels> tunnels(TunnelOptions options, std::shared_ptr<Shards> shards, std::shared_ptr<Clock> clock, std::shared_ptr<Random> random,
                                 Metrics& metrics) {
  return std::make_shared<rpc::ToInstances>(std::move(options), std::move(shards), std::move(clock), std::move(random), metrics);
}

}  // namespace loggia
