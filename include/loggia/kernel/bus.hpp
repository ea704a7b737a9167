#pragma once
// Modules tell each other what happened through topics (contract, section 4). A producer appends an event in the transaction of the
// change that it reports: its log *is* the outbox. Consumer groups keep their position in their own database, in the transaction of
// what they did; so each event has its effect once. Followers (realtime) read every partition from its head and store nothing.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/ids.hpp"
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/shards.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia {

/// One event as it travels. Immutable and shared between threads once it is published.
struct Event {
  std::string topic;
  int partition = 0;
  std::int64_t sequence = 0;  // in its partition, from 1, without holes; 0 for a signal
  Uuid id;
  std::string type;  // "message.created"
  int version = 1;   // of its schema
  std::string key;   // partition key and subject: an id as text
  Time time{};
  std::string source;  // /loggia/MODULE/EPOCH
  std::string traceparent;
  std::shared_ptr<const std::string> data;  // JSON
};
using EventPtr = std::shared_ptr<const Event>;

/// The CloudEvents 1.0 JSON form of an event (structured mode).
std::string to_cloud_event(const Event& event);

/// murmur2(key) mod partitions, as Kafka's default partitioner has it (sign bit cleared).
int partition_of(std::string_view key, int partitions);

/// Topics that a module produces, with what a reader of the API description wants to know.
struct EventType {
  std::string_view type;
  std::string_view summary;
  std::function<std::string()> schema;  // JSON Schema of `data` as text
};
struct Topic {
  std::string_view name;
  std::string_view summary;
  bool logged = true;  // false: signals only (presence, typing)
  std::vector<EventType> types;
};

struct NewEvent {
  std::string_view topic;  // a literal
  std::string_view type;   // a literal
  std::string key;
  std::string data;  // JSON; with a reference it may be empty: see Log::resolve
  /// Where the producer keeps the data itself, so that it is stored once (chat: the time line). 0: in the log's row.
  Uuid reference;
  std::int64_t reference_number = 0;
  std::string traceparent;
};

/// The log of one producing module, in the tables of its database. Append on the writer's thread.
class Log {
 public:
  virtual ~Log() = default;
  /// Part of `transaction`; published (tail, followers, groups) after its commit. The sequence is taken just before the commit, so
  /// positions appear in order and have no holes.
  virtual void append(Transaction& transaction, NewEvent event) = 0;
  /// What earlier events with this reference hold is `data` from now on (deleted is deleted): the tail in memory is rewritten after
  /// the commit. The producer rewrites its own row in the same transaction.
  virtual void rewrite(Transaction& transaction, std::string_view topic, const std::string& key, const Uuid& reference, std::int64_t reference_number,
                       std::string data) = 0;
  /// Reads the data of events that were appended with a reference, on a reader's thread; empty where the producer has erased it.
  using Resolver = std::function<std::string(Query&, const Uuid& reference, std::int64_t number)>;
  virtual void resolve(std::string_view topic, Resolver resolver) = 0;
  virtual std::string epoch() const = 0;
};

/// What a handler wants done in the transaction that moves the group's position.
using Apply = std::function<Result<bool>(Transaction&)>;

/// `handle` runs on a shard, one event of a partition at a time, and may ask other modules; what it returns is applied in one
/// transaction with the position. An error: Errc::invalid_request *refuses* the event for ever (5 tries, then dead letter, and the
/// group goes on); any other is *not now*: retried with backoff up to 30 s, without end, and holds its partition.
struct Subscription {
  std::string topic;
  std::string group;  // the consuming module's name
  std::shared_ptr<Database> store;
  std::function<Async<Apply>(Context, EventPtr)> handle;
  /// Events of other types move the position and nothing else. Empty: all.
  std::vector<std::string> types;
};

/// What `loggia topics` shows.
struct TopicLag {
  std::string topic, group;
  int partition = 0;
  std::int64_t head = 0, position = 0;
  std::size_t dead_letters = 0;
};
struct TopicState {
  std::string topic, producer;
  std::vector<std::int64_t> heads;  // of each partition
};

/// What lies between this process and the others.
struct BusState {
  std::string broker;    // "kafka"; empty: there is none
  std::string degraded;  // one line, what is wrong and what to do; empty: all is well
};

class Router;
class Transport;

/// A module that runs in other processes, as the bus meets it.
struct Elsewhere {
  std::string module;
  std::vector<std::string> topics;       // that its log has
  std::vector<std::string> hears;        // topics whose signals it wants
  std::shared_ptr<Transport> transport;  // to whichever instance answers
  /// To each of its instances but this process: signals are for all of them. Any thread.
  std::function<std::vector<std::shared_ptr<Transport>>()> each;
};

/// What one module may do at the bus of another, by the name in its certificate. Safe from every thread; empty functions permit nothing.
struct BusRights {
  std::function<bool(const std::string& caller, const std::string& producer, const std::string& topic)> reads;  // of the producer's log
  std::function<bool(const std::string& caller, const std::string& topic)> says;                                // a signal
};

/// Safe from every thread, but subscribe/follow/open_log/connect/mount: before start() only.
class Bus {
 public:
  virtual ~Bus() = default;
  virtual int partitions() const = 0;
  /// The log of `module` in its database, with its logged topics. A topic may have several producers (user-events: auth and user);
  /// each has a log and sequences of its own.
  virtual std::shared_ptr<Log> open_log(std::string module, std::shared_ptr<Database> store, std::vector<Topic> topics) = 0;
  virtual void subscribe(Subscription subscription) = 0;
  /// Every event of the topic from the head at start(), and every signal of it, in the order of each partition, on a thread of the
  /// bus: return quickly (post to a shard).
  virtual void follow(std::string topic, std::function<void(const EventPtr&)> handler) = 0;
  /// At most once, not logged. `module`: who says it.
  virtual void signal(std::string_view module, std::string_view topic, std::string_view type, std::string key, std::string data,
                      std::string traceparent) = 0;
  /// Groups and followers here hear what that module appends there, and it hears our signals.
  virtual void connect(Elsewhere module) = 0;
  /// The events of one module's log, which is elsewhere, whatever brings the others (contract, section 3, guarantee 6): on a shard, each once.
  virtual void follow_log(std::string module, std::string topic, std::function<void(const EventPtr&)> handler) = 0;
  /// How long nothing was heard of that module's log.
  virtual milliseconds silent_for(const std::string& module) const = 0;
  /// For the groups and followers of other processes: the routes below /bus/ of the inner listener. A process with several modules may what one of
  /// them may; without mTLS, on loopback, everybody may all.
  virtual void mount(Router& router, BusRights rights) = 0;
  /// Blocking: until every log that somebody here hears has answered.
  virtual Result<bool> start() = 0;
  /// Who waits at the mounted routes for something new is told `unavailable`, now and from then on.
  virtual void drain() = 0;
  /// Ends groups and followers. Blocks; not from a shard.
  virtual void stop() = 0;

  /// Of the broker, for /readyz. Any thread.
  virtual BusState state() const { return BusState(); }

  // For `loggia topics`, the lab and the tests. Blocking; not from a shard.
  virtual std::vector<TopicState> topics() = 0;
  virtual std::vector<TopicLag> lag() = 0;
  /// Events of a partition with sequence > `after`, oldest first, at most `limit`. `producer` empty: the first one.
  virtual std::vector<EventPtr> page(const std::string& topic, const std::string& producer, int partition, std::int64_t after, std::size_t limit) = 0;
  /// Sets the group back to just before `from` in `partition` (-1: all). The number of events that it will see again.
  virtual Result<std::int64_t> replay(const std::string& topic, const std::string& group, std::int64_t from, int partition) = 0;
  virtual Result<std::int64_t> replay_dead_letters(const std::string& topic, const std::string& group) = 0;
};

struct BusOptions {
  int partitions = 16;
  milliseconds retention{};
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Ids> ids;
  std::shared_ptr<Shards> shards;
  Metrics* metrics = nullptr;
  std::size_t tail_bytes = 8u << 20;  // of each topic, in memory
  /// A store that can be trusted no longer, or a handler that threw what it must not: the process ends.
  std::function<void(const std::string& why)> on_fatal;
};
/// The log is in the modules' own databases; nothing to install.
std::shared_ptr<Bus> embedded_bus(BusOptions options);

struct KafkaOptions {
  std::vector<std::string> brokers;            // HOST:PORT
  std::string topic_prefix;                    // before the names of topics and groups
  std::map<std::string, std::string> options;  // librdkafka's, as they are: TLS, SASL
  int replication = -1;                        // of topics that are made; -1: the broker's own default
};
/// Over Apache Kafka: the logs stay where they are, a relay copies them, groups and followers read the copies. A broker that is away holds
/// up nobody who appends. Only where there is a kafka_library().
std::shared_ptr<Bus> kafka_bus(BusOptions options, KafkaOptions kafka);
/// The version of librdkafka; empty: it was not there when this was built.
std::string kafka_library();
/// What is wrong in `options`, by configuration key.
std::vector<FieldError> kafka_mistakes(const KafkaOptions& options);

}  // namespace loggia
