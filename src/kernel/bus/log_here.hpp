#pragma once
// A module's log in its database: rows, heads, and the newest events in memory, so that who is at the head never reads rows.
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include "bus/log_view.hpp"

namespace loggia::bus {

/// Told of each event right after its commit, on the writer's thread, in the order of each partition.
using Published = std::function<void(class LogHere&, const EventPtr&)>;

class LogHere final : public Log, public LogView, public std::enable_shared_from_this<LogHere> {
 public:
  LogHere(std::string module, std::shared_ptr<Database> store, std::vector<std::string> topics, const BusOptions& options, Published published);
  /// Blocking: the epoch (made once), the heads.
  Result<bool> load();

  void append(Transaction& transaction, NewEvent event) override;
  void rewrite(Transaction& transaction, std::string_view topic, const std::string& key, const Uuid& reference, std::int64_t reference_number,
               std::string data) override;
  void resolve(std::string_view topic, Resolver resolver) override;
  std::string epoch() const override { return epoch_; }

  const std::string& module() const override { return module_; }
  bool has(const std::string& topic) const override { return topics_.contains(topic); }
  const std::set<std::string, std::less<>>& topics() const { return topics_; }
  std::shared_ptr<Database> store() const { return store_; }
  std::vector<std::int64_t> heads(const std::string& topic) const override;
  std::int64_t head(const std::string& topic, int partition) const override;
  /// What other processes have appended meanwhile, where the store is shared(): heads of the rows. Blocking; true when one has moved.
  Result<bool> look_at_heads();
  /// From memory, if `after` is within it, and nobody else has appended behind it: then true, and `out` has what there is (perhaps nothing, at the
  /// head).
  bool from_tail(const std::string& topic, int partition, std::int64_t after, std::size_t limit, std::vector<EventPtr>& out) const override;
  /// From rows, on a store's thread.
  std::vector<EventPtr> from_rows(Query& query, const std::string& topic, int partition, std::int64_t after, std::size_t limit) const;
  /// From memory or from rows. Blocking.
  Result<std::vector<EventPtr>> read(const std::string& topic, int partition, std::int64_t after, std::size_t limit) override;
  /// Also what another process has appended, before its head is known here.
  Async<std::vector<EventPtr>> rows(std::string topic, int partition, std::int64_t after, std::size_t limit) override;
  /// Events older than `before` go, some thousands at a time; how many went.
  std::int64_t trim(Transaction& transaction, Time before) const;
  /// The same, of events that the relay has brought to where they are copied.
  std::int64_t trim_relayed(Transaction& transaction, Time before) const;

 private:
  struct Kept {
    EventPtr event;
    Uuid reference;
    std::int64_t number;
  };
  /// An event whose transaction has not ended. The action after the commit owns it: of a command that was rolled back nothing is left.
  struct Pending {
    std::shared_ptr<Event> event;
    Uuid reference;
    std::int64_t number;
    bool elsewhere;  // the producer keeps the data
  };
  struct Place {
    std::vector<std::weak_ptr<Pending>> events;
    std::size_t sweep_at = 1024;
  };
  struct Tail {
    std::vector<std::deque<Kept>> partitions;
    std::vector<std::int64_t> heads;
    std::deque<int> order;          // of the partitions' events, oldest first
    std::vector<std::size_t> gone;  // of each partition: so many of its entries in `order` are of events that went before their turn
    std::size_t bytes = 0;
  };
  void committed(const Pending& pending);
  void keep(Tail& tail, const Pending& pending);
  void write_rows(Transaction& transaction, const std::string& topic, int partition);

  std::string module_, epoch_, source_;
  std::shared_ptr<Database> store_;
  std::set<std::string, std::less<>> topics_;
  std::map<std::string, Resolver, std::less<>> resolvers_;
  int partitions_;
  std::size_t tail_bytes_;
  std::shared_ptr<Clock> clock_;
  std::shared_ptr<Ids> ids_;
  Published published_;
  Counter* appended_;
  std::map<std::pair<std::string, int>, Place> pending_;  // of the writer's thread
  mutable std::mutex mutex_;
  std::map<std::string, Tail, std::less<>> tails_;
};

}  // namespace loggia::bus
