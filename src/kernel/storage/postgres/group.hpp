#pragma once
// One transaction of PostgreSQL with the commands that run in it. Of the writer's thread.
#include <list>
#include <map>
#include <set>
#include "storage/postgres/connection.hpp"

namespace loggia::postgres {

/// A row that is to be locked: where it stands in everybody's order, and how it is had.
struct Lock {
  std::string sql, first;  // of the first parameter, its bytes
  Parameter::Kind kind = Parameter::Kind::any;
  std::int64_t number = 0;
};
using LockOrder = std::pair<int, std::string>;
using Locks = std::map<LockOrder, Lock>;

class Group final : public Transaction {
 public:
  /// `era`: grows with all groups and all that is undone.
  Group(Connection& connection, std::uint64_t& era) : connection_{connection}, era_{era} { ++era_; }
  std::uint64_t era() const override { return era_; }

  void on_commit(std::function<void()> action) override { after_.push_back(std::move(action)); }
  void before_commit(std::uint64_t order, std::function<void(Transaction&)> action) override { before_.emplace_back(order, std::move(action)); }

  struct Mark {
    std::size_t after = 0, before = 0, told = 0;
  };
  Mark mark() const { return Mark{after_.size(), before_.size(), told_.size()}; }
  void back_to(Mark mark);
  /// Something was rolled back, and nothing that stays is still to be sent.
  void undone();
  void run_before();
  std::vector<std::function<void()>> take_after() { return std::move(after_); }

  /// A statement of the group's own: BEGIN, SAVEPOINT and the like.
  void say(std::string_view sql);
  /// At the beginning: takes these, in their order. Who asks for one of them hears that it was taken now, for others may have had it between.
  void take(const Locks& locks);
  /// What is met out of order waits for a moment all the same.
  void be_patient();
  /// All that this group took or wanted to take.
  const Locks& wanted() const { return wanted_; }
  /// Sends what was put together; with settle() all answers are in then. Throws Failure.
  void flush();
  void settle();
  /// Counts what may have changed something.
  std::uint64_t writes() const { return writes_; }

 protected:
  std::unique_ptr<Rows> run(std::string_view sql, std::span<const Parameter> parameters) override;
  Changes change(std::string_view sql, std::span<const Parameter> parameters) override;
  bool hold(int rank, std::string_view sql, std::span<const Parameter> parameters) override;
  std::int64_t changed(std::int64_t ticket) override;

 private:
  /// Rows for one table by one statement, which nobody has looked at.
  struct Batch {
    std::string sql;
    std::string table, kinds;
    std::size_t rows = 0;
    std::deque<std::string> kept;  // what texts and blobs of the parameters held
    std::vector<Parameter> parameters;
  };
  /// A row's new values, which nobody has looked at.
  struct Overwritten {
    std::string table, kinds;
    std::vector<std::int64_t> tickets;
    std::deque<std::string> kept;
    std::vector<Parameter> parameters;
  };
  using OverwrittenRows = std::map<std::pair<std::string, std::string>, Overwritten>;  // by statement and key
  void send_lock(const Lock& lock, bool wait);
  bool overwrite(std::string_view sql, const Text& text, std::span<const Parameter> parameters);
  void flush(const std::string& sql, Overwritten& row);
  bool put_together(std::string_view sql, const Text& text, std::span<const Parameter> parameters);
  void flush(Batch& batch);
  void flush_named(std::string_view sql);

  Connection& connection_;
  std::uint64_t& era_;
  std::list<Batch> batches_;  // which stay where they are: parameters point into them
  std::vector<std::function<void()>> after_;
  std::vector<std::pair<std::uint64_t, std::function<void(Transaction&)>>> before_;
  OverwrittenRows overwritten_;
  std::vector<std::shared_ptr<Reply>> replies_;  // by ticket; none while the statement waits
  std::uint64_t writes_ = 0;
  /// Somebody was told that a row was taken now; it may have been by take().
  struct Told {
    LockOrder order;
    bool retaken;
  };
  std::set<LockOrder> held_;
  std::set<LockOrder> retaken_;  // of these, what take() took and nobody was told of yet
  std::vector<Told> told_;       // in the order of the calls
  Locks wanted_;
  bool patient_ = false;
};

}  // namespace loggia::postgres
