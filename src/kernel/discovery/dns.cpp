// Names that are looked up again every few seconds: A and AAAA through the C library (so /etc/hosts counts too), SRV by the resolver below it,
// which knows what getaddrinfo does not. What was found last stands while a name leads nowhere. One thread; a look-up may take its time.
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <thread>
#include "discovery/directory.hpp"
#include "http/listener.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace discovery {
namespace {

constexpr std::size_t answer_max = 64u << 10;
using Found = Result<std::vector<std::string>>;

Error nowhere(const std::string& name, std::string_view why) { return Error(Errc::unavailable, name + ": " + std::string(why)); }

/// The resolver of this thread alone: what waits for it can be stopped within seconds.
bool prepare_resolver(const DnsOptions& options) {
  if (::res_init() != 0) return false;
  _res.retrans = 1;
  _res.retry = 2;
  if (options.server.empty()) return true;
  const auto server = http::parse_listen(options.server);
  if (!server || !server->address().is_v4()) return false;
  _res.nscount = 1;
  _res.nsaddr_list[0].sin_family = AF_INET;
  _res.nsaddr_list[0].sin_port = htons(server->port());
  _res.nsaddr_list[0].sin_addr.s_addr = htonl(server->address().to_v4().to_uint());
  return true;
}

/// HOST:PORT in figures.
std::string written(const addrinfo& found, int port) {
  boost::asio::ip::tcp::endpoint out;
  std::memcpy(out.data(), found.ai_addr, std::min<std::size_t>(found.ai_addrlen, out.capacity()));
  out.port(static_cast<std::uint16_t>(port));
  return http::to_text(out);
}

Found addresses_of(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* all = nullptr;
  const int problem = ::getaddrinfo(host.c_str(), nullptr, &hints, &all);
  if (problem != 0) return nowhere(host, ::gai_strerror(problem));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> freed(all, &::freeaddrinfo);
  std::vector<std::string> out;
  for (const auto* one = all; one; one = one->ai_next)
    if (one->ai_family == AF_INET || one->ai_family == AF_INET6) out.push_back(written(*one, port));
  return out;
}

struct Service {
  int priority = 0, port = 0;
  std::string target;
};

/// RFC 2782. The records as they are; what does not parse is left out.
std::vector<Service> services_in(const unsigned char* bytes, int size) {
  std::vector<Service> out;
  ns_msg message;
  if (::ns_initparse(bytes, size, &message) != 0) return out;
  for (int at = 0; at < ns_msg_count(message, ns_s_an); ++at) {
    ns_rr record;
    if (::ns_parserr(&message, ns_s_an, at, &record) != 0 || ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) < 7) continue;
    const auto* data = ns_rr_rdata(record);
    char target[NS_MAXDNAME];
    if (::dn_expand(ns_msg_base(message), ns_msg_end(message), data + 6, target, sizeof target) < 0) continue;
    Service one;
    one.priority = ns_get16(data);
    one.port = ns_get16(data + 4);
    one.target = target;
    if (one.port > 0 && !one.target.empty() && one.target != ".") out.push_back(std::move(one));
  }
  return out;
}

Found services_of(const std::string& name) {
  std::vector<unsigned char> answer(answer_max);
  const int size = ::res_nsearch(&_res, name.c_str(), ns_c_in, ns_t_srv, answer.data(), static_cast<int>(answer.size()));
  if (size < 0) return nowhere(name, std::string("no SRV records: ") + ::hstrerror(_res.res_h_errno));
  const auto services = services_in(answer.data(), std::min(size, static_cast<int>(answer.size())));
  if (services.empty()) return nowhere(name, "no SRV records");
  // Those of a higher number are for when the others are away; the weights are the balancer's to know better.
  const auto first =
      std::min_element(services.begin(), services.end(), [](const auto& a, const auto& b) { return a.priority < b.priority; })->priority;
  std::vector<std::string> out;
  for (const auto& service : services) {
    if (service.priority != first) continue;
    auto found = addresses_of(service.target, service.port);
    if (!found) return found.error();  // half a list would take the others for gone
    out.insert(out.end(), found->begin(), found->end());
  }
  return out;
}

class DnsDiscovery final : public Discovery {
 public:
  explicit DnsDiscovery(DnsOptions options) : options_{std::move(options)} {}
  ~DnsDiscovery() override { end(); }

  Result<bool> start(std::vector<Instance>) override {
    thread_ = std::thread([this] { run(); });
    first_.wait(options_.start_limit);
    return true;
  }
  void stop() override { end(); }
  std::vector<std::string> instances(const std::string& module) const override { return directory_.instances(module); }
  Watch on_change(std::function<void(const std::string& module)> handler) override { return directory_.watch(std::move(handler)); }
  std::string trouble() const override {
    const std::lock_guard lock(mutex_);
    return trouble_.empty() ? trouble_
                            : "dns: " + trouble_ + "; what was found last is used on. Is discovery.peers right, and does this host's DNS work?";
  }

 private:
  void run() {
    for (bool once = true;;) {
      std::string wrong;
      if (prepare_resolver(options_)) wrong = look();
      else wrong = "the resolver of this host cannot be used (/etc/resolv.conf)";
      remember(wrong);
      if (std::exchange(once, false)) first_.count_down();
      std::unique_lock lock(mutex_);
      const auto pause = wrong.empty() ? options_.look_every : options_.look_again;
      if (stopped_.wait_for(lock, pause, [this] { return stopping_; })) return;
    }
  }

  /// What is wrong, of the first name where anything is.
  std::string look() {
    std::string wrong;
    Peers peers;
    for (const auto& [module, names] : options_.names) {
      auto& addresses = peers[module];
      for (const auto& name : names) {
        const auto place = place_of(name);
        if (!place || stopping()) continue;
        auto found = place->port == 0 ? services_of(place->host) : addresses_of(place->host, place->port);
        if (found) known_[name] = std::move(*found);
        else if (wrong.empty()) wrong = found.error().detail;
        const auto& last = known_[name];
        addresses.insert(addresses.end(), last.begin(), last.end());
      }
    }
    if (!stopping()) directory_.replace(std::move(peers));
    return wrong;
  }

  void remember(const std::string& wrong) {
    bool changed = false;
    {
      const std::lock_guard lock(mutex_);
      changed = trouble_.empty() != wrong.empty();
      trouble_ = wrong;
    }
    if (changed && !wrong.empty()) log::warn("discovery.dns_away", Field("why", wrong));
    else if (changed) log::info("discovery.dns_back");
  }

  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }
  void end() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stopped_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  const DnsOptions options_;
  Directory directory_;
  std::map<std::string, std::vector<std::string>> known_;  // by name; on the thread alone
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::string trouble_;
  Latch first_{1};
  std::thread thread_;
};

}  // namespace
}  // namespace discovery

std::shared_ptr<Discovery> dns_discovery(DnsOptions options) { return std::make_shared<discovery::DnsDiscovery>(std::move(options)); }

}  // namespace loggia
