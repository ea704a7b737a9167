#pragma once
// Mail that the server sends: to one relay by SMTP (RFC 5321), with STARTTLS (RFC 3207) or TLS from the start (RFC 8314), by libcurl on
// threads of its own. What is to be sent, a module keeps in its own tables (MailQueue), in the transaction of what it tells of; MailRunner
// sends it: at least once, each time under the same Message-ID. docs/decisions/0015-mail.md has the why.
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/config.hpp"
#include "loggia/kernel/metrics.hpp"
#include "loggia/kernel/shards.hpp"

namespace loggia {

/// What a person can have typed as an address: a local part and a domain of RFC 5321 without quoting, or in UTF-8 (RFC 6531), at most 254 bytes.
bool is_mail_address(std::string_view text);

struct Mail {
  std::string to;            // one address
  std::string subject;       // UTF-8; control characters become spaces
  std::string text, html;    // UTF-8: the same, for both kinds of reader
  std::string id;            // of what it tells; the same at each try. Message-ID is <id@domain of smtp.from> (RFC 5322, 3.6.4)
  Time written{};            // Date; the same at each try
  std::string settings_url;  // where such mail is switched off: List-Unsubscribe (RFC 2369); empty: none
};

/// What came of one try.
struct Delivery {
  enum class How {
    taken,    // the server has it
    refused,  // for good: 5xx for this recipient or this mail
    later,    // not now, and it is about this mail: 4xx
    away,     // not now, and it is about the server: no connection, no trust, no login
  };
  How how = How::away;
  std::string why;  // for people: without the password, without the recipient's address
};

/// Safe from every shard; answers on the caller's.
class Mailer {
 public:
  virtual ~Mailer() = default;
  virtual boost::asio::awaitable<Delivery> send(Mail mail) = 0;
  /// Empty while mail goes out; else what is wrong and what to do, for /readyz. Any thread.
  virtual std::string trouble() const = 0;
  /// Everything that mail is made of is there: links have an address. Calls whoever waits for it. Main thread, once.
  void start();
  /// `begin` is called by start(), or now where that was.
  void when_started(std::function<void()> begin);
  /// Ends tries that are under way, within a second. Blocks; not from a shard.
  virtual void stop() {}

 protected:
  /// Looks after the server: once now, and every 30 s while there is trouble.
  virtual void watch_over() {}

 private:
  std::mutex mutex_;
  bool started_ = false;
  std::vector<std::function<void()>> waiting_;
};

/// One relay, as smtp.url and smtp.from name it.
struct SmtpServer {
  bool tls_from_start = false;  // smtps
  std::string host;             // without the brackets of an IPv6 address
  int port = 587;
  std::string user, password;  // both or none; with them only under TLS
  std::string sender_name;     // UTF-8; may be empty
  std::string sender;          // an address
  std::string sender_domain() const { return sender.substr(sender.find('@') + 1); }
};
/// Errors name the key in `fields` and never hold what was written there.
Result<SmtpServer> smtp_server(const std::string& url, const std::string& from);

/// Mistakes of smtp.*; empty where mail is not configured.
std::vector<FieldError> mail_mistakes(const Config& config);
/// Whether smtp.url is set, here or where the server runs whose data this is.
bool mail_is_configured(const Config& config);
/// Whether this build has libcurl. Without it mail_mistakes() says what to install.
bool can_send_mail();

/// A mail is lent to whoever sends it (MailQueue::take) for longer than it can wait for its turn and be tried; the rest is for composing and for
/// writing down what came of it. So nobody sends what another process has taken meanwhile.
inline constexpr milliseconds mail_turn_within{10000}, mail_try_within{60000}, mail_lent_for{90000};
static_assert(mail_lent_for >= mail_turn_within + mail_try_within + milliseconds(20000));

struct SmtpOptions {
  SmtpServer server;
  std::string trusted;  // PEM file of authorities; empty: the system's
  milliseconds connect_timeout{10000}, turn_timeout = mail_turn_within, try_timeout = mail_try_within;
  std::size_t threads = 3;  // for the modules that send, one mail at a time each (auth, notification), and the look after the server
  std::size_t queue = 64;   // more than that waiting: Delivery::How::away
};
/// Only where can_send_mail().
std::shared_ptr<Mailer> smtp_mailer(SmtpOptions options, std::shared_ptr<Shards> shards);
/// As smtp.* say, which were checked; null where they say nothing. Certificates are checked with the authorities of SSL_CERT_FILE, as other
/// programs on OpenSSL do, else with the system's.
std::shared_ptr<Mailer> configured_mailer(const Config& config, std::shared_ptr<Shards> shards);

/// A mail that waits, as its queue knows it.
struct QueuedMail {
  Uuid key;
  Time expires{};  // not worth sending from then on
  int tries = 0;   // that came to nothing
  Time until{};    // whose it is: who takes it later, since it was left for that long, has another one
};
struct Settled {
  enum class How { sent, failed, again } how = How::sent;
  std::string why;  // of failed and again
  Time again{};     // when it is due again
};
struct Waiting {
  std::int64_t count = 0;
  std::optional<Time> due;  // of the first
};

/// The mails of one module, in its tables.
class MailQueue {
 public:
  virtual ~MailQueue() = default;
  /// The one that is due for the longest time, if any is. It is the caller's until `until`; nobody else gets it before.
  virtual Async<std::optional<QueuedMail>> take(Context context, Time now, Time until) = 0;
  /// What it says by now. None: nothing is to be sent now, and the queue has written down why.
  virtual Async<std::optional<Mail>> compose(Context context, QueuedMail mail) = 0;
  virtual Async<bool> settle(Context context, QueuedMail mail, Settled settled) = 0;
  virtual Async<Waiting> waiting(Context context) = 0;
  /// What an earlier life of this process had taken is free.
  virtual Async<bool> release(Context context) = 0;
};

/// How long it is waited after so many tries that came to nothing: 1 s, doubled each time up to 30 s (contract, section 4).
milliseconds mail_pause(int tries);

struct MailRunnerOptions {
  std::string name;  // the module's
  std::shared_ptr<Mailer> mailer;
  std::shared_ptr<MailQueue> queue;
  std::shared_ptr<Shards> shards;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
  std::shared_ptr<Metrics> metrics;
  bool alone = true;  // no other process has this store: at start, what is taken was taken by an earlier life
};

/// Sends what is due in one queue, one mail after the other.
class MailRunner {
 public:
  explicit MailRunner(MailRunnerOptions options);
  /// Begins once the mailer has.
  void start();
  /// Something was put into the queue. Any thread.
  void wake();
  /// The same, for who may outlive the runner.
  std::function<void()> waker() const;
  /// Ends behind the mail that is under way.
  void drain();
  bool drained() const;
  /// Blocks; not from a shard.
  void stop();
  /// One look at the queue: sends what is due. What start() does again and again; alone for tests.
  Async<bool> turn(Context context);

 private:
  struct State;
  std::shared_ptr<State> state_;
  Tasks tasks_;  // last: it uses the state
};

class Database;
struct Kernel;
/// For the mails of `module` in `store`; null where this process sends none (Kernel::mailer). While modules are made.
std::shared_ptr<MailRunner> mail_runner(const Kernel& kernel, std::string module, std::shared_ptr<MailQueue> queue, const Database& store);

}  // namespace loggia
