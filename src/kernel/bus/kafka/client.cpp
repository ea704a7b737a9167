#include "bus/kafka/client.hpp"
#include <syslog.h>
#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include "loggia/kernel/config.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia::kafka {
namespace {

// What the guarantees stand on. Whoever could set these could lose events without a word.
constexpr const char* ours_alone[] = {"bootstrap.servers",
                                      "metadata.broker.list",
                                      "enable.idempotence",
                                      "enable.gapless.guarantee",
                                      "acks",
                                      "request.required.acks",
                                      "message.timeout.ms",
                                      "delivery.timeout.ms",
                                      "max.in.flight",
                                      "max.in.flight.requests.per.connection",
                                      "retries",
                                      "message.send.max.retries",
                                      "transactional.id",
                                      "partitioner",
                                      "group.id",
                                      "group.instance.id",
                                      "enable.auto.commit",
                                      "enable.auto.offset.store",
                                      "auto.offset.reset",
                                      "partition.assignment.strategy",
                                      "isolation.level",
                                      "check.crcs",
                                      "log_level",
                                      "plugin.library.paths",
                                      "allow.auto.create.topics"};

std::string mechanism_of(const KafkaOptions& options) {
  for (const char* name : {"sasl.mechanisms", "sasl.mechanism"})
    if (const auto found = options.options.find(name); found != options.options.end()) return found->second;
  return {};
}

void on_log(const rd_kafka_t* from, int level, const char* facility, const char* text) {
  const Field client("client", rd_kafka_name(from)), about("about", facility), what("what", text);
  const std::string_view of(facility);
  // That a connection failed is told by Health, once for all clients; and that an option of ours is "experimental" is known.
  const bool known = of == "FAIL" || of == "ERROR" || (of == "CONFWARN" && std::string_view(text).find("gapless") != std::string_view::npos);
  if (level <= LOG_WARNING && !known) log::warn("kafka.client", client, about, what);
  else log::debug("kafka.client", client, about, what);
}

void on_error(rd_kafka_t* from, int kind, const char* text, void* opaque) {
  auto& owner = *static_cast<Owner*>(opaque);
  if (kind != RD_KAFKA_RESP_ERR__FATAL) return owner.trouble(static_cast<rd_kafka_resp_err_t>(kind), text);
  std::array<char, 512> reason{};
  const auto error = rd_kafka_fatal_error(from, reason.data(), reason.size());
  owner.lost(error, reason.data());
}

}  // namespace

Health::Health(const KafkaOptions& options) : brokers_{joined(options.brokers, ",")}, scram_{mechanism_of(options).starts_with("SCRAM")} {}

std::string Health::remedy(rd_kafka_resp_err_t kind, const std::string& text) const {
  switch (static_cast<int>(kind)) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED: {
      std::string out =
          "Kafka at " + brokers_ + " refuses the user or the password of bus.kafka.options. Correct sasl.username and sasl.password there.";
      // librdkafka 4895: the client's nonce is sent twice, and Kafka 4 compares it strictly. Fixed in 2.6.1.
      if (scram_ && rd_kafka_version() < 0x020601ff)
        out += std::string(" If they are right: librdkafka ") + rd_kafka_version_str() +
               " cannot do SCRAM with Kafka 4; use sasl.mechanism PLAIN over TLS there, or librdkafka 2.6.1 or later.";
      return out;
    }
    case RD_KAFKA_RESP_ERR__SSL:
      return "no TLS connection to Kafka at " + brokers_ + ": " + text +
             ". Set ssl.ca.location of bus.kafka.options to the authority of its certificate.";
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return "the address of Kafka is not known: " + text + ". Correct bus.kafka.brokers, or the name service.";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return "Kafka at " + brokers_ + " does not permit it: " + text +
             ". Let this user read, write, describe and create the topics of bus.kafka.topic_prefix, and read its groups.";
    default:
      return "Kafka at " + brokers_ + " is away: " + text + ". Events wait in the log and go out when it is back.";
  }
}

void Health::trouble(rd_kafka_resp_err_t kind, const std::string& text, const Owner* who) {
  auto rank = Rank::general;
  switch (static_cast<int>(kind)) {
    // One broker of several, or one that is looked for again: all of them being away is told apart.
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return;
    case RD_KAFKA_RESP_ERR__RESOLVE:
      rank = Rank::particular;
      who = nullptr;
      break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      rank = Rank::refusal;
      break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__SSL:
      rank = Rank::refusal;
      who = nullptr;
      break;
    default:
      who = nullptr;
      break;
  }
  auto words = remedy(kind, text);
  {
    const std::lock_guard lock(mutex_);
    // Every client says it, again and again; and that all brokers are down follows from what is known better.
    const auto known = known_.find(who);
    if (known != known_.end() && rank <= known->second.rank) return;
    known_[who] = {rank, words};
    wrong_ = true;
    if (!who) away_ = true;
  }
  log::warn("kafka.away", Field("why", words));
}

void Health::fine(const Owner* who) {
  if (!wrong_) return;
  {
    const std::lock_guard lock(mutex_);
    away_ = false;
    const auto over = known_.erase(nullptr) + known_.erase(who);
    wrong_ = !known_.empty();
    if (over == 0 || wrong_) return;
  }
  log::info("kafka.back", Field("brokers", brokers_));
}

std::string Health::why() const {
  const std::lock_guard lock(mutex_);
  return known_.empty() ? std::string() : known_.begin()->second.why;  // the cluster's first
}

bool Health::refused() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(known_.begin(), known_.end(), [](const auto& one) { return one.second.rank == Rank::refusal; });
}

std::string Health::silent(milliseconds how_long) const {
  return "Kafka at " + brokers_ + " has acknowledged nothing for " + std::to_string(how_long.count() / 1000) +
         " s. Events wait in the log and go out when it answers.";
}

bool refuses_the_record(rd_kafka_resp_err_t error) {
  switch (static_cast<int>(error)) {
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return true;
    default:
      return false;
  }
}

std::vector<FieldError> mistakes_of(const KafkaOptions& options) {
  std::vector<FieldError> wrong;
  if (options.brokers.empty())
    wrong.push_back({"bus.kafka.brokers", "is needed with bus.transport = \"kafka\": the HOST:PORT of one broker or more"});
  for (const auto& broker : options.brokers) {
    const auto colon = broker.rfind(':');
    const auto port = colon == broker.npos ? std::string() : broker.substr(colon + 1);
    const bool fine = colon != broker.npos && colon > 0 && !port.empty() && port.size() < 6 && port.find_first_not_of("0123456789") == port.npos &&
                      broker.find_first_of(" /\"',@") == broker.npos;
    if (!fine) wrong.push_back({"bus.kafka.brokers", "\"" + broker + "\" is not HOST:PORT"});
  }
  const Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  std::array<char, 512> why{};
  for (const auto& [name, value] : options.options) {
    const auto key = "bus.kafka.options." + name;
    if (std::find(std::begin(ours_alone), std::end(ours_alone), name) != std::end(ours_alone)) {
      wrong.push_back({key, "is set by Loggia, whose guarantees stand on it; remove it"});
      continue;
    }
    // A value may be a secret: librdkafka's words have it only where the value is of a list of its own.
    switch (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size())) {
      case RD_KAFKA_CONF_UNKNOWN:
        wrong.push_back({key, std::string("is no option of librdkafka ") + rd_kafka_version_str() + "; its CONFIGURATION.md has them all"});
        break;
      case RD_KAFKA_CONF_INVALID:
        wrong.push_back({key, "librdkafka refuses the value; its CONFIGURATION.md says what this option takes"});
        break;
      case RD_KAFKA_CONF_OK:
        break;
    }
  }
  return wrong;
}

Owned<rd_kafka_conf_t> configuration(const KafkaOptions& options, Owner& owner, const std::vector<std::pair<const char*, std::string>>& ours) {
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  std::array<char, 512> why{};
  const auto set = [&](const std::string& name, const std::string& value) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK)
      throw std::runtime_error("librdkafka refuses the option " + name);
  };
  set("client.id", "loggia");
  // A broker that is back is found within a second or two; the standard is ten.
  set("reconnect.backoff.max.ms", "2000");
  set("socket.keepalive.enable", "true");
  // Who leads a partition is asked again at least so often: an answer that was missed is not waited for five minutes.
  set("topic.metadata.refresh.interval.ms", "5000");
  set("log.connection.close", "false");  // a broker closes what is idle
  set("socket.nagle.disable", "true");
  // Made by a client that only looks, a topic would have the broker's number of partitions.
  set("allow.auto.create.topics", "false");
  for (const auto& [name, value] : options.options) set(name, value);
  set("bootstrap.servers", joined(options.brokers, ","));
  for (const auto& [name, value] : ours) set(name, value);
  rd_kafka_conf_set_opaque(conf.get(), &owner);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  return conf;
}

Owned<rd_kafka_t> client(rd_kafka_type_t type, Owned<rd_kafka_conf_t> configuration) {
  std::array<char, 512> why{};
  auto* made = rd_kafka_new(type, configuration.get(), why.data(), why.size());
  if (!made) throw std::runtime_error(std::string("no Kafka client can be made of bus.kafka.options: ") + why.data());
  (void)configuration.release();  // the client's now
  return Owned<rd_kafka_t>(made);
}

}  // namespace loggia::kafka
