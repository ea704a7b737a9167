// Thousands of connections of people who have signed in before, on one thread: tests/system/opening.py and scripts/soak measure the server
// beside it.
//   loggia_crowd --address 127.0.0.1:8080 --people FILE --connections 10000 [--window 200] [--rate 500 --seconds 1800 --churn 20 --every 10]
//   FILE: a line a person, `TOKEN ROOM`. At most `window` connections are being opened at a time.
// Prints a line of JSON once all are open. With a rate it sends so many messages a second, each from somebody into their room, while `churn`
// connections a second end and others come, and prints a line every `every` seconds. Then the connections stay until standard input ends, and a
// last line follows; a line of standard input is answered with the same.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <unordered_map>
#include <vector>
#include "connection.hpp"

namespace {

using namespace bench;
using Steady = std::chrono::steady_clock;
using Moment = Steady::time_point;

struct Options {
  Address address;
  std::string people;
  std::size_t connections = 1, window = 200;
  double rate = 0, seconds = 10, churn = 0, every = 10;
};

Options parse(int count, char** words) {
  Options out;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string name = words[at], value = words[at + 1];
    if (name == "--address") out.address = parse_address(value);
    else if (name == "--people") out.people = value;
    else if (name == "--connections") out.connections = std::strtoul(value.c_str(), nullptr, 10);
    else if (name == "--window") out.window = std::strtoul(value.c_str(), nullptr, 10);
    else if (name == "--rate") out.rate = std::atof(value.c_str());
    else if (name == "--seconds") out.seconds = std::atof(value.c_str());
    else if (name == "--churn") out.churn = std::atof(value.c_str());
    else if (name == "--every") out.every = std::atof(value.c_str());
    else give_up("unknown flag " + name);
  }
  return out;
}

double milliseconds_since(Moment then) { return std::chrono::duration<double, std::milli>(Steady::now() - then).count(); }
std::int64_t microseconds(Moment moment) { return std::chrono::duration_cast<std::chrono::microseconds>(moment.time_since_epoch()).count(); }

/// Percentiles of what was put in since the last look.
class Sample {
 public:
  void add(double value) { values_.push_back(value); }
  std::string json() {
    std::sort(values_.begin(), values_.end());
    const auto at = [&](double part) {
      return values_.empty() ? 0.0 : values_[static_cast<std::size_t>(part * static_cast<double>(values_.size() - 1))];
    };
    auto text = fmt::format(R"({{"count":{},"p50_ms":{:.2f},"p99_ms":{:.2f},"most_ms":{:.2f}}})", values_.size(), at(0.5), at(0.99), at(1));
    values_.clear();
    return text;
  }

 private:
  std::vector<double> values_;
};

struct Person {
  std::string token, room;
};

class Crowd {
 public:
  explicit Crowd(Options options) : options_{std::move(options)}, epoll_{::epoll_create1(0)}, slots_(options_.connections) {
    std::ifstream file(options_.people);
    for (Person one; file >> one.token >> one.room;) people_.push_back(one);
    if (people_.empty()) give_up("nobody is in " + options_.people);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = standard_input;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  }

  int run() {
    const auto began = Steady::now();
    for (std::size_t n = 0; n < slots_.size(); ++n) waiting_.push_back(n);
    while (open_ + failed_ < slots_.size()) {
      open_some();
      turn(50);
    }
    say(fmt::format(R"({{"open":{},"failed":{},"took_ms":{:.0f},"hello":{}}})", open_, failed_, milliseconds_since(began), opened_.json()));
    if (options_.rate > 0) soak();
    while (!ended_) turn(1000);
    say_figures();
    return 0;
  }

 private:
  static constexpr std::uint64_t standard_input = ~std::uint64_t{0};
  static constexpr std::size_t text_size = 128;  // as in scripts/bench
  struct Slot {
    std::unique_ptr<Connection> connection;
    Moment began;
    std::size_t unanswered = 0;
    bool open = false, writing = false;
  };

  static void say(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
  }
  void say_figures() const { say(fmt::format(R"({{"open":{},"heard":{},"cut":{}}})", open_, heard_, cut_)); }
  const Person& person(std::size_t n) const { return people_[n % people_.size()]; }

  void open_some() {
    while (!waiting_.empty() && opening_ < options_.window) {
      const auto n = waiting_.back();
      waiting_.pop_back();
      auto& slot = slots_[n];
      slot.began = Steady::now();
      slot.connection = std::make_unique<Connection>(Target::loggia, connect_later(options_.address));
      slot.connection->begin_loggia(options_.address, person(n).token);
      slot.writing = true;
      ++opening_;
      listen(n, EPOLL_CTL_ADD);
    }
  }

  void listen(std::size_t n, int what) {
    epoll_event event{};
    event.events = EPOLLIN | (slots_[n].writing ? EPOLLOUT : 0u);
    event.data.u64 = n;
    ::epoll_ctl(epoll_, what, slots_[n].connection->file(), &event);
  }

  void flush(std::size_t n) {
    auto& slot = slots_[n];
    slot.connection->flush();
    if (std::exchange(slot.writing, slot.connection->unsent()) != slot.writing) listen(n, EPOLL_CTL_MOD);
  }

  /// Our own end of it, or the server's.
  void drop(std::size_t n) {
    auto& slot = slots_[n];
    slot.open ? --open_ : --opening_;
    slot.open = false;
    slot.connection.reset();
  }

  void turn(int wait) {
    epoll_event events[512];
    const int count = ::epoll_wait(epoll_, events, 512, wait);
    now_ = Steady::now();
    for (int at = 0; at < count; ++at) {
      const auto n = events[at].data.u64;
      if (n == standard_input) {
        char piece[64];
        if (::read(STDIN_FILENO, piece, sizeof piece) > 0) {
          say_figures();
        } else {
          ended_ = true;
          ::epoll_ctl(epoll_, EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
        }
        continue;
      }
      if (!slots_[n].connection) continue;
      if (slots_[n].connection->read([&](std::string_view text) { take(n, text); })) {
        flush(n);
        continue;
      }
      (slots_[n].open ? cut_ : failed_) += 1;
      drop(n);
    }
  }

  void take(std::size_t n, std::string_view text) {
    if (text.starts_with("{\"re\":")) {
      if (text.find("\"error\"") != text.npos) give_up("a request was refused: " + std::string(text));
      const auto number = std::strtoull(text.data() + 6, nullptr, 10);
      if (number == 0) return came_in(n);
      const auto found = sent_.find(number);
      if (found == sent_.end()) return;
      acknowledged_.add(milliseconds_since(found->second));
      --slots_[n].unanswered;
      sent_.erase(found);
      return;
    }
    if (text.find("\"message.created\"") == text.npos) return;
    ++heard_;
    const auto at = text.find("~@");
    if (at != text.npos) delivered_.add(static_cast<double>(microseconds(now_) - std::strtoll(text.data() + at + 2, nullptr, 16)) / 1000);
  }

  void came_in(std::size_t n) {
    slots_[n].open = true;
    ++open_;
    --opening_;
    opened_.add(milliseconds_since(slots_[n].began));
  }

  void soak() {
    const auto begin = Steady::now(), end = begin + span(options_.seconds);
    auto next = begin, change = begin, report = begin + span(options_.every);
    while (Steady::now() < end && !ended_) {
      const auto now = Steady::now();
      for (; next <= now; next += span(1 / options_.rate)) send(next);
      for (; options_.churn > 0 && change <= now; change += span(1 / options_.churn)) replace();
      open_some();
      turn(1);
      if (now < report) continue;
      report += span(options_.every);
      say_sample(begin, false);
    }
    const auto limit = Steady::now() + std::chrono::seconds(30);
    while (!sent_.empty() && Steady::now() < limit) turn(50);
    if (!sent_.empty()) give_up(fmt::format("{} messages were never acknowledged", sent_.size()));
    say_sample(begin, true);
  }

  void say_sample(Moment begin, bool last) {
    say(fmt::format(R"({{"at":{:.1f},"last":{},"open":{},"unacknowledged":{},"cut":{},"failed":{},"came":{},"ack":{},"delivery":{},"hello":{}}})",
                    std::chrono::duration<double>(Steady::now() - begin).count(), last, open_, sent_.size(), cut_, failed_, came_,
                    acknowledged_.json(), delivered_.json(), opened_.json()));
  }
  static Steady::duration span(double seconds) { return std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(seconds)); }

  /// Measured from its due time on: what waits for us counts as waiting.
  void send(Moment due) {
    const auto n = somebody();
    const auto number = ++number_;
    sent_.emplace(number, due);
    ++slots_[n].unanswered;
    slots_[n].connection->say(person(n).room, fmt::format("~@{:x}.{:x}", microseconds(due), number), number, text_size);
    flush(n);
  }

  std::size_t somebody() {
    for (;;) {
      const auto n = random_() % slots_.size();
      if (slots_[n].open) return n;
    }
  }

  /// Somebody who waits for no answer goes, and comes back.
  void replace() {
    const auto n = somebody();
    if (slots_[n].unanswered > 0) return;
    drop(n);
    waiting_.push_back(n);
    ++came_;
  }

  Options options_;
  int epoll_;
  std::vector<Person> people_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> waiting_;
  std::unordered_map<std::uint64_t, Moment> sent_;
  Sample opened_, acknowledged_, delivered_;
  std::mt19937_64 random_{20261130};
  Moment now_;
  std::uint64_t number_ = 0, heard_ = 0, cut_ = 0, came_ = 0;
  std::size_t open_ = 0, opening_ = 0, failed_ = 0;
  bool ended_ = false;
};

}  // namespace

int main(int count, char** words) { return Crowd(parse(count, words)).run(); }
