#pragma once
// librdkafka's handles, owned; a configuration made from ours; and what its error callback has said, in words. For bus/kafka alone.
#include <librdkafka/rdkafka.h>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>
#include "loggia/kernel/bus.hpp"

namespace loggia::kafka {

struct Destroy {
  void operator()(rd_kafka_conf_t* one) const { rd_kafka_conf_destroy(one); }
  void operator()(rd_kafka_t* one) const { rd_kafka_destroy(one); }
  void operator()(rd_kafka_message_t* one) const { rd_kafka_message_destroy(one); }
  void operator()(rd_kafka_topic_partition_list_t* one) const { rd_kafka_topic_partition_list_destroy(one); }
  void operator()(rd_kafka_queue_t* one) const { rd_kafka_queue_destroy(one); }
  void operator()(rd_kafka_event_t* one) const { rd_kafka_event_destroy(one); }
  void operator()(rd_kafka_error_t* one) const { rd_kafka_error_destroy(one); }
  void operator()(rd_kafka_NewTopic_t* one) const { rd_kafka_NewTopic_destroy(one); }
  void operator()(rd_kafka_AdminOptions_t* one) const { rd_kafka_AdminOptions_destroy(one); }
  void operator()(const rd_kafka_metadata_t* one) const { rd_kafka_metadata_destroy(one); }
};
template <class T> using Owned = std::unique_ptr<T, Destroy>;
using Partitions = Owned<rd_kafka_topic_partition_list_t>;
inline Partitions partition_list(std::size_t size) { return Partitions(rd_kafka_topic_partition_list_new(static_cast<int>(size))); }

class Owner;

/// What stands between this process and the cluster, as its clients tell it. What one client is not permitted is known of that client until it
/// gets through itself; the rest is the cluster's, until anybody gets through. Safe from every thread.
class Health {
 public:
  explicit Health(const KafkaOptions& options);
  /// An error of a client's own, from its callback: `kind` and librdkafka's text.
  void trouble(rd_kafka_resp_err_t kind, const std::string& text, const Owner* who);
  /// Something of this client went through: what was wrong with it, or with the cluster, is over.
  void fine(const Owner* who);
  /// The cluster cannot be used by anybody.
  bool away() const { return away_.load(); }
  /// One line: what is wrong and what to do. Empty: nothing.
  std::string why() const;
  /// The same of a cluster that says nothing at all.
  std::string silent(milliseconds how_long) const;
  /// A refusal that waiting does not mend: a wrong password, a certificate that is not believed.
  bool refused() const;

 private:
  enum class Rank { general, particular, refusal };  // how much the words say
  struct Known {
    Rank rank;
    std::string why;
  };
  std::string remedy(rd_kafka_resp_err_t kind, const std::string& text) const;
  std::string brokers_;
  bool scram_ = false;
  std::atomic<bool> away_{false}, wrong_{false};
  mutable std::mutex mutex_;
  std::map<const Owner*, Known> known_;  // null: of the cluster
};

/// Who has a client: what librdkafka hands back to each of its callbacks. Outlives the client.
class Owner {
 public:
  explicit Owner(Health* health) : health_{health} {}  // null: of a client that is never made
  Owner(const Owner&) = delete;
  virtual ~Owner() = default;
  /// From the error callback, on the thread that polls.
  virtual void trouble(rd_kafka_resp_err_t kind, const std::string& text) { health_->trouble(kind, text, this); }
  /// The client can do nothing any more: a new one has to be made.
  virtual void lost(rd_kafka_resp_err_t kind, const std::string& text) { trouble(kind, text); }
  void fine() { health_->fine(this); }

 private:
  Health* health_;
};

/// Options that are ours alone to set, or that librdkafka does not know; empty: all are fine.
std::vector<FieldError> mistakes_of(const KafkaOptions& options);

/// A configuration with the options of `options`, and then `ours`, which win. What it logs goes to our log, its errors to `owner`, which is the
/// opaque of its callbacks.
Owned<rd_kafka_conf_t> configuration(const KafkaOptions& options, Owner& owner, const std::vector<std::pair<const char*, std::string>>& ours);
/// Takes the configuration. Throws std::runtime_error with librdkafka's words.
Owned<rd_kafka_t> client(rd_kafka_type_t type, Owned<rd_kafka_conf_t> configuration);

/// The cluster, or what a client knows of it, has no such topic.
inline bool no_topic(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
         error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

/// What is wrong is this record, for this broker or topic as it is set: others go.
bool refuses_the_record(rd_kafka_resp_err_t error);

/// `Broker: Not enough in-sync replicas`, as librdkafka calls it.
inline std::string words(rd_kafka_resp_err_t error) { return rd_kafka_err2str(error); }

}  // namespace loggia::kafka
