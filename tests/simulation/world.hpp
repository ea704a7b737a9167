#pragma once
// One seed: a server process that ends and begins again, clients, and what goes wrong between them.
#include <set>
#include "client.hpp"
#include "process.hpp"

namespace loggia::simulation {

class World {
 public:
  /// What is kept of its history, for who asks afterwards; or printed as it happens, which is seen even where it never ends.
  enum class Trace { none, kept, printed };
  World(std::uint64_t seed, Trace trace);
  ~World();
  /// Runs it to its end.
  void run();

  const std::string& failure() const { return failure_; }
  const std::deque<std::string>& trace() const { return trace_; }
  std::uint64_t hash() const { return loop.hash(); }

  // For its parts.
  void fail(const std::string& what);
  template <class... T> void note(const T&... parts) {
    if (traced()) write((std::string(parts) + ...));
  }
  bool traced() const { return how_ != Trace::none; }
  void committed(const Event& event);
  Caller caller(const UserId& user) const;
  Process* process() { return process_.get(); }
  std::shared_ptr<Socket> dial(Client& client);
  Commit fate_of_commit();
  bool handlers_fail() { return faulty && plan.handlers && faults.chance(150); }
  void must_end(const std::string& why);
  bool over() const { return loop.now() >= plan.faults_end; }

  const Plan plan;
  Loop loop;
  Dice faults, workload, network, store_dice;
  bool faulty = false;
  Chance chance{plan, faults, faulty};
  Slowness slowness;
  Instant contact_lost_until = 0, stopped_until = 0, wall_shift = 0;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
  std::shared_ptr<Ids> ids;
  std::set<SessionId> revoked;
  std::function<void(UserId, SessionId)> tell_revoked;
  Truth truth;
  std::vector<RoomId> rooms;  // as they were made: owner is the first user
  std::vector<UserId> users;
  std::vector<std::unique_ptr<Client>> clients;

  /// A change of who is in a room, over HTTP, until it is answered.
  void put_member(const UserId& by, const RoomId& room, const UserId& user);
  void remove_member(const UserId& by, const RoomId& room, const UserId& user);
  void join(const UserId& user, const RoomId& room);

 private:
  void write(const std::string& line);
  void make_rooms();
  void begin_process();
  void end_process(const std::string& why);
  void restart_later();
  void chaos();
  void one_fault();
  void heal();
  void farewell();
  bool settled();
  void judge();
  void judge_audit();
  template <class R> void http(const UserId& by, R request, int tries);

  const Trace how_;
  std::string failure_, last_missing_;
  std::deque<std::string> trace_;
  std::unique_ptr<Process> process_;
  std::uint64_t connections_ = 0, lives_ = 0;
  Commit next_commit_ = Commit::well;
  Instant full_until_ = 0;
  int end_in_ = 0, http_waiting_ = 0;  // steps until the process ends
  std::string end_why_;
  bool end_at_commit_ = false, farewell_said_ = false, settled_ = false;
};

}  // namespace loggia::simulation
