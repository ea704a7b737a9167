#pragma once
// What every transport has in common: the logs of this process's modules, the groups that consume, the followers, the shell's questions.
// What differs is where groups read, how followers hear, and what happens with what was appended. For bus/ alone.
#include <mutex>
#include "bus/group.hpp"
#include "bus/log_elsewhere.hpp"
#include "bus/log_service.hpp"
#include "bus/signal_sender.hpp"

namespace loggia::bus {

class BusHere : public Bus, public std::enable_shared_from_this<BusHere> {
 public:
  explicit BusHere(BusOptions options);

  int partitions() const final { return options_.partitions; }
  std::shared_ptr<Log> open_log(std::string module, std::shared_ptr<Database> store, std::vector<Topic> topics) final;
  void subscribe(Subscription subscription) final { subscriptions_.push_back(std::move(subscription)); }
  void follow(std::string topic, std::function<void(const EventPtr&)> handler) final {
    followers_[std::move(topic)].handlers.push_back(std::move(handler));
  }
  void connect(Elsewhere module) final { elsewhere_.push_back(std::move(module)); }
  void follow_log(std::string module, std::string topic, std::function<void(const EventPtr&)> handler) final;
  milliseconds silent_for(const std::string& module) const final;
  void mount(Router& router, BusRights rights) final;
  void drain() final;
  void signal(std::string_view module, std::string_view topic, std::string_view type, std::string key, std::string data,
              std::string traceparent) final;
  Result<bool> start() final;
  void stop() final;

  std::vector<TopicState> topics() final;
  std::vector<TopicLag> lag() override;
  std::vector<EventPtr> page(const std::string& topic, const std::string& producer, int partition, std::int64_t after, std::size_t limit) final;
  Result<std::int64_t> replay(const std::string& topic, const std::string& group, std::int64_t from, int partition) final;
  Result<std::int64_t> replay_dead_letters(const std::string& topic, const std::string& group) final;

 protected:
  using Groups = std::vector<std::shared_ptr<Group>>;
  /// Events of other processes come by their logs, and not by a broker.
  virtual bool hears_logs() const { return true; }
  /// Where this subscription reads what that module's log has.
  virtual std::shared_ptr<Feed> feed(const Subscription& subscription, std::shared_ptr<LogView> log) = 0;
  /// Before any group is started. An error ends the start.
  virtual Result<bool> begin() = 0;
  /// On the writer's thread of the producer, right after the commit, while the bus runs.
  virtual void published(LogHere& from, const EventPtr& event) = 0;
  /// A signal of this process, which followers here have heard. To who hears it elsewhere.
  virtual void signalled(const EventPtr& event) {
    if (signals_) signals_->send(*event);
  }
  /// No group runs any more. Blocks.
  virtual void end() = 0;
  /// Events that nobody needs longer.
  virtual std::int64_t trim(LogHere& log, Transaction& transaction, Time before) { return log.trim(transaction, before); }

  const BusOptions& options() const { return options_; }
  const std::vector<std::shared_ptr<LogHere>>& logs() const { return logs_; }
  /// Those, and of modules elsewhere the ones of which somebody here hears a topic.
  std::vector<std::shared_ptr<LogView>> all_logs() const;
  /// Another process has appended to a log that is here too.
  void moved() {
    if (service_) service_->wake();
  }
  std::shared_ptr<const Groups> groups() const;
  /// The topics that are followed here.
  std::vector<std::string> followed() const;
  /// One call at a time for each topic, on the caller's thread.
  void tell(const EventPtr& event);
  /// Followers and groups hear of what is new in that module's log.
  void tell_all(const std::string& module, const EventPtr& event);
  /// Of this process's signals: where the source of an event has the epoch of its log.
  const std::string& instance() const { return instance_; }

 private:
  struct Followers {
    std::recursive_mutex mutex;  // one call at a time, whoever appended; a handler may signal
    std::vector<std::function<void(const EventPtr&)>> handlers;
  };
  struct Trimming {
    Shards::Timer handle;  // of shard 0
  };
  Result<bool> make_groups();
  void make_logs_elsewhere();
  /// An event of a log elsewhere.
  void heard(const std::string& module, const EventPtr& event);
  template <class F> Result<std::int64_t> each_group(const std::string& topic, const std::string& name, F ask);
  void trim_later(milliseconds delay);
  boost::asio::awaitable<void> trim_all();
  std::vector<std::shared_ptr<Database>> stores() const;

  BusOptions options_;
  std::shared_ptr<Random> random_;
  std::string instance_;
  std::vector<std::shared_ptr<LogHere>> logs_;
  std::vector<Subscription> subscriptions_;
  std::map<std::string, Followers, std::less<>> followers_;
  std::vector<Elsewhere> elsewhere_;
  std::map<std::string, std::vector<std::pair<std::string, std::function<void(const EventPtr&)>>>> log_followers_;  // by module, with their topics
  std::vector<std::shared_ptr<LogElsewhere>> logs_elsewhere_;                                                       // that somebody here hears
  std::shared_ptr<LogService> service_;                                                                             // null: nobody elsewhere asks
  std::shared_ptr<SignalSender> signals_;
  std::mutex making_;
  mutable std::mutex groups_mutex_;
  std::shared_ptr<const Groups> groups_ = std::make_shared<Groups>();
  std::atomic<bool> started_{false}, stopping_{false};
  std::shared_ptr<Trimming> trim_ = std::make_shared<Trimming>();
  Tasks tasks_;
};

}  // namespace loggia::bus
