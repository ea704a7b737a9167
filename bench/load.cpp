// The load generator of scripts/bench. One thread, epoll; prints one line of JSON.
//   loggia_load --target loggia --address 127.0.0.1:8080 --pid PID --mode fan --rooms 1 --members 500 --senders 10 --window 16 --seconds 5
//   modes: fan (`senders` of each room, 0 for all, keep `window` messages each on their way until every member has them),
//          latency (`rate` messages a second into one room, due whether or not the ones before have come; counted from then to the last member),
//          acks (`members` connections, `window` sends of each in flight, freed by the acknowledgement)
//   --size is the length of a message's text; --warm seconds come before those that count; --pid 1,2,3 adds up the CPU of several processes.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <numeric>
#include <sstream>
#include <unordered_map>
#include <vector>
#include "connection.hpp"

namespace {

using namespace bench;
using Steady = std::chrono::steady_clock;

struct Options {
  Target target = Target::loggia;
  Address address;
  std::vector<int> pids;
  int rooms = 1, members = 1, senders = 1, window = 1;
  std::size_t size = 128;
  double seconds = 5, warm = 1, rate = 50;
  std::string mode = "fan";
};

std::vector<int> numbers(const std::string& text) {
  std::vector<int> out;
  std::istringstream in(text);
  for (std::string one; std::getline(in, one, ',');) out.push_back(std::atoi(one.c_str()));
  return out;
}

Options parse(int count, char** words) {
  Options out;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string name = words[at], value = words[at + 1];
    if (name == "--target") out.target = value == "loggia" ? Target::loggia : value == "beast" ? Target::beast : Target::tcp;
    else if (name == "--address") out.address = parse_address(value);
    else if (name == "--pid") out.pids = numbers(value);
    else if (name == "--rooms") out.rooms = std::atoi(value.c_str());
    else if (name == "--members") out.members = std::atoi(value.c_str());
    else if (name == "--senders") out.senders = std::atoi(value.c_str());
    else if (name == "--size") out.size = std::strtoull(value.c_str(), nullptr, 10);
    else if (name == "--rate") out.rate = std::atof(value.c_str());
    else if (name == "--warm") out.warm = std::atof(value.c_str());
    else if (name == "--window") out.window = std::atoi(value.c_str());
    else if (name == "--seconds") out.seconds = std::atof(value.c_str());
    else if (name == "--mode") out.mode = value;
    else give_up("unknown flag " + name);
  }
  return out;
}

/// User and system time of a process so far, in seconds.
double cpu_of(int pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (text.empty()) return 0;
  unsigned long user = 0, system = 0;
  std::sscanf(text.c_str() + text.rfind(')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}
double cpu_of(const std::vector<int>& pids) {
  return std::accumulate(pids.begin(), pids.end(), 0.0, [](double sum, int pid) { return sum + cpu_of(pid); });
}
double own_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct Message {
  int left;
  std::size_t room, from;
  Steady::time_point due;
};

class Load {
 public:
  explicit Load(Options options) : options_{std::move(options)}, epoll_{::epoll_create1(0)} {}

  int run() {
    set_scene();
    start_sending();
    for (const auto until = Steady::now() + span(options_.warm); Steady::now() < until;) turn(50);
    deliveries_ = complete_ = acks_ = bytes_ = 0;
    latencies_.clear();
    const auto cpu = cpu_of(options_.pids), own = own_cpu();
    fmt::print(stderr, "measuring\n");  // scripts/profile waits for it: what comes before hashes passwords
    counted_from_ = Steady::now();
    for (const auto end = counted_from_ + span(options_.seconds); Steady::now() < end;) turn(50);
    const std::chrono::duration<double> took = Steady::now() - counted_from_;
    const auto spent = cpu_of(options_.pids) - cpu, spent_here = own_cpu() - own;
    const auto deliveries = static_cast<double>(deliveries_), complete = static_cast<double>(complete_), acks = static_cast<double>(acks_);
    const auto lost = drain();
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double part) {
      return latencies_.empty() ? 0.0 : latencies_[static_cast<std::size_t>(part * static_cast<double>(latencies_.size() - 1))];
    };
    fmt::print(
        R"({{"deliveries_s":{:.0f},"sends_s":{:.0f},"acks_s":{:.0f},"cpu_s_per_million":{:.3f},"frame_bytes":{:.1f},"server_cores":{:.2f},"load_cores":{:.2f},"p50_ms":{:.3f},"p99_ms":{:.3f},"lost":{},"dead":{}}})"
        "\n",
        deliveries / took.count(), complete / took.count(), acks / took.count(), deliveries > 0 ? spent / (deliveries / 1e6) : 0,
        deliveries_ ? static_cast<double>(bytes_) / static_cast<double>(deliveries_) : 0, spent / took.count(), spent_here / took.count(), at(0.5),
        at(0.99), lost, dead_);
    return dead_ ? 1 : 0;
  }

 private:
  static Steady::duration span(double seconds) { return std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(seconds)); }

  void set_scene() {
    if (options_.senders == 0 || options_.senders > options_.members) options_.senders = options_.members;
    const int people = options_.mode == "fan" ? options_.rooms * options_.members : options_.members;
    std::vector<nlohmann::json> accounts;
    if (options_.target == Target::loggia) {
      // One connection for each person.
      const auto run = fmt::format("{:x}", static_cast<unsigned>(Steady::now().time_since_epoch().count() & 0xffffff));
      for (int n = 0; n < people; ++n)
        accounts.push_back(
            call(options_.address, "POST", "/auth/register", {{"username", fmt::format("l{}-{}", run, n)}, {"password", "load generator"}}, ""));
      make_rooms(accounts);
    }
    for (int n = 0; n < people; ++n) {
      auto connection = std::make_unique<Connection>(options_.target, connect_to(options_.address));
      const auto room = static_cast<std::size_t>(options_.mode == "fan" ? n / options_.members : 0);
      if (options_.target == Target::loggia) {
        connection->open_loggia(options_.address, accounts[static_cast<std::size_t>(n)].at("access_token").get<std::string>());
      } else {
        connection->open_floor(options_.address, fmt::format("r{}", room));
      }
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = static_cast<std::uint64_t>(n);
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->file(), &event);
      connections_.push_back(std::move(connection));
    }
  }

  void make_rooms(const std::vector<nlohmann::json>& accounts) {
    const int rooms = options_.mode == "fan" ? options_.rooms : 1;
    const auto members = accounts.size() / static_cast<std::size_t>(std::max(1, rooms));
    for (std::size_t room = 0; room < static_cast<std::size_t>(rooms); ++room) {
      const auto owner = room * members;
      const auto token = accounts[owner].at("access_token").get<std::string>();
      std::string id;
      for (std::size_t from = 1; from < members || id.empty(); from += 100) {
        nlohmann::json ids = nlohmann::json::array();
        for (auto at = from; at < std::min(members, from + 100); ++at) ids.push_back(accounts[owner + at].at("user").at("id"));
        if (id.empty()) {
          id = call(options_.address, "POST", "/rooms", {{"name", fmt::format("load {}", room)}, {"visibility", "private"}, {"members", ids}}, token)
                   .at("id")
                   .get<std::string>();
        } else {
          for (const auto& user : ids)
            call(options_.address, "PUT", "/rooms/" + id + "/members/" + user.get<std::string>(), nlohmann::json::object(), token);
        }
      }
      rooms_.push_back(id);
    }
  }

  void start_sending() {
    if (options_.mode == "acks")
      for (std::size_t n = 0; n < connections_.size(); ++n)
        for (int w = 0; w < options_.window; ++w) send(n, 0, Steady::now());
    else if (options_.mode == "latency") start_clock();
    else
      for (std::size_t room = 0; room < static_cast<std::size_t>(options_.rooms); ++room)
        for (int sender = 0; sender < options_.senders; ++sender)
          for (int w = 0; w < options_.window; ++w)
            send(room * static_cast<std::size_t>(options_.members) + static_cast<std::size_t>(sender), room, Steady::now());
    for (auto& connection : connections_) connection->flush();
  }

  void start_clock() {
    clock_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    const auto period = std::chrono::duration_cast<std::chrono::nanoseconds>(span(1 / options_.rate)).count();
    const timespec each{period / 1'000'000'000, period % 1'000'000'000};
    const itimerspec when{each, each};
    due_ = Steady::now() + span(1 / options_.rate);
    ::timerfd_settime(clock_, 0, &when, nullptr);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = clock_mark;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, clock_, &event);
  }

  void tick() {
    std::uint64_t rounds = 0;
    if (::read(clock_, &rounds, sizeof rounds) < 0) return;
    for (; due_ <= Steady::now() && !draining_; due_ += span(1 / options_.rate)) {
      const auto from = turn_of_++ % static_cast<std::size_t>(options_.senders);
      send(from, 0, due_);
      senders_.push_back(from);
    }
  }

  /// Waits for what is on its way in an open loop, so that the slowest count too; how many never came.
  std::size_t drain() {
    draining_ = true;
    if (options_.mode != "latency") return 0;
    for (const auto until = Steady::now() + std::chrono::seconds(5); !messages_.empty() && Steady::now() < until;) turn(50);
    return messages_.size();
  }

  void send(std::size_t from, std::size_t room, Steady::time_point due) {
    const auto number = ++next_;
    messages_.emplace(number, Message{options_.mode == "acks" ? 1 : options_.members, room, from, due});
    connections_[from]->say(options_.target == Target::loggia ? rooms_[room] : std::string(), fmt::format("~@{:010x}.", number), number,
                            options_.size);
  }

  void turn(int wait) {
    epoll_event events[512];
    const int count = ::epoll_wait(epoll_, events, 512, wait);
    for (int at = 0; at < count; ++at) {
      if (events[at].data.u64 == clock_mark) {
        tick();
        continue;
      }
      const auto n = static_cast<std::size_t>(events[at].data.u64);
      auto& connection = *connections_[n];
      if (!connection.read([&](std::string_view text) { take(text); })) {
        ++dead_;
        ::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.file(), nullptr);
      }
      connection.flush();
    }
    for (const auto n : senders_) connections_[n]->flush();
    senders_.clear();
  }

  void take(std::string_view text) {
    if (text.starts_with("{\"re\":")) {
      if (text.find("\"error\"") != text.npos) give_up("a request was refused: " + std::string(text));
      ++acks_;
      if (options_.mode == "acks") finish(std::strtoull(text.data() + 6, nullptr, 10));
      return;
    }
    if (options_.mode == "acks") return;
    // In a frame of Loggia the marker stands in the text and in client_id: the first counts.
    const auto at = text.find("~@");
    if (at == text.npos) return;
    ++deliveries_;
    bytes_ += text.size();
    finish(std::strtoull(text.data() + at + 2, nullptr, 16));
  }

  void finish(std::uint64_t number) {
    const auto found = messages_.find(number);
    if (found == messages_.end() || --found->second.left > 0) return;
    const auto message = found->second;
    messages_.erase(found);
    ++complete_;
    if (options_.mode != "latency" || message.due >= counted_from_)
      latencies_.push_back(std::chrono::duration<double, std::milli>(Steady::now() - message.due).count());
    if (options_.mode == "latency" || draining_) return;
    send(message.from, message.room, Steady::now());
    senders_.push_back(message.from);
  }

  static constexpr std::uint64_t clock_mark = ~std::uint64_t{0};
  Options options_;
  int epoll_, clock_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::string> rooms_;
  std::unordered_map<std::uint64_t, Message> messages_;
  std::vector<std::size_t> senders_;
  std::vector<double> latencies_;
  Steady::time_point counted_from_ = Steady::time_point::max(), due_;
  std::size_t turn_of_ = 0;
  bool draining_ = false;
  std::uint64_t next_ = 0, bytes_ = 0, deliveries_ = 0, complete_ = 0, acks_ = 0, dead_ = 0;
};

}  // namespace

int main(int count, char** words) { return Load(parse(count, words)).run(); }
