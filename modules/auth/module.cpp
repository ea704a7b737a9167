#include "loggia/auth/module.hpp"
#include <algorithm>
#include "accounts.hpp"
#include "administration.hpp"
#include "commands.hpp"
#include "elsewhere.hpp"
#include "loggia/auth/events.hpp"
#include "loggia/kernel/log.hpp"
#include "mailing.hpp"
#include "trust.hpp"
#include "verifier_elsewhere.hpp"
#include "wire.hpp"

namespace loggia::auth {

std::vector<Migration> migrations();

namespace {

constexpr std::size_t hashing_threads = 2, hashing_queue = 64;
constexpr milliseconds look_every{60000};

/// `http.public_url` is the gateway's key; a process may lack a gateway.
std::string issuer_of(const Config& config) {
  const auto url = config.declares("http.public_url") ? config.text("http.public_url") : std::string();
  return url.empty() ? std::string("loggia") : url;
}

class AuthModule final : public Module {
 public:
  explicit AuthModule(Kernel& kernel) : kernel_{kernel}, parts_{std::make_shared<Parts>()} {
    parts_->settings.issuer = issuer_of(kernel.config);
    parts_->settings.registration = kernel.config.text("auth.registration");
    parts_->settings.token_lifetime = kernel.config.duration("auth.access_token_lifetime");
    parts_->settings.session_lifetime = kernel.config.duration("auth.session_lifetime");
    parts_->database = kernel.open("auth", migrations());
    parts_->log = kernel.bus->open_log("auth", parts_->database, topics());
    parts_->clock = kernel.clock;
    parts_->random = kernel.random;
    parts_->ids = kernel.ids;
    parts_->metrics = kernel.metrics;
    parts_->keys = std::make_shared<KeyRing>(parts_->settings.token_lifetime);
    parts_->verifier = std::make_shared<VerifierHere>(parts_->settings.issuer, parts_->keys, kernel.clock);
    parts_->passwords = std::make_shared<Passwords>(argon2(kernel.random), hashing_threads, hashing_queue);
    hear_other_processes(*kernel.bus, parts_);
    kernel.ports.offer<Accounts>(std::make_shared<AccountsHere>(parts_));
    kernel.ports.offer<Administration>(std::make_shared<AdministrationHere>(parts_));
    kernel.ports.offer<Mailboxes>(std::make_shared<MailboxesHere>(parts_));
    kernel.ports.offer<Trust>(std::make_shared<TrustHere>(parts_));
    kernel.ports.offer<Verifier>(parts_->verifier);
    add_commands(kernel.commands, parts_);
    parts_->settings.mail = mail_is_configured(kernel.config);
    parts_->link_base = [&kernel] { return loggia::link_base(kernel); };
    mails_ = mail_runner(kernel, "auth", std::make_shared<AccountMails>(parts_), *parts_->database);
    if (mails_) parts_->wake_mail = mails_->waker();
  }

  Result<bool> start() override {
    parts_->directory = kernel_.ports.get<user::Directory>();
    if (auto loaded = parts_->load(); !loaded) return loaded;
    tasks_.spawn(kernel_.shards->executor(0), "auth.maintenance", keep_tidy(parts_));
    if (mails_) mails_->start();
    return true;
  }

  void drain() override {
    if (mails_) mails_->drain();
  }
  bool drained() const override { return !mails_ || mails_->drained(); }

  void stop() override {
    if (mails_) mails_->stop();
    tasks_.cancel();
    tasks_.wait(milliseconds(2000));
  }

 private:
  static boost::asio::awaitable<void> keep_tidy(std::shared_ptr<Parts> parts) {
    for (;;) {
      auto waited = co_await sleep_for(look_every);
      if (!waited) co_return;
      Context context(new_trace(*parts->random));
      auto done = co_await Parts::maintain(parts, std::move(context));
      if (!done) log::warn("auth.maintenance_failed", Field("why", done.error().detail));
    }
  }

  Kernel& kernel_;
  std::shared_ptr<Parts> parts_;
  std::shared_ptr<MailRunner> mails_;  // null: no mail is sent here
  Tasks tasks_;                        // last: it uses the others
};

ConfigKey key(std::string_view name, ConfigKey::Kind kind, std::string_view standard, std::string_view help) {
  ConfigKey out;
  out.name = name;
  out.kind = kind;
  out.standard = standard;
  out.help = help;
  return out;
}

}  // namespace

ModuleDescriptor module() {
  using Kind = ConfigKey::Kind;
  ModuleDescriptor out;
  out.name = "auth";
  out.needs.emplace_back("user");
  out.keys.push_back(key("auth.registration", Kind::text, "open", "who may register: everybody, who has an invite, or nobody"));
  out.keys.back().values = "open|invite|closed";
  out.keys.push_back(key("auth.access_token_lifetime", Kind::duration, "10m", "how long an access token is good"));
  out.keys.back().min = 1000;
  out.keys.back().max = milliseconds(std::chrono::hours(24)).count();
  out.keys.back().alike = true;  // for so long others remember a revocation
  out.keys.push_back(key("auth.session_lifetime", Kind::duration, "30d", "how long a session lasts without being used"));
  out.keys.back().min = 1000;
  out.keys.back().max = milliseconds(std::chrono::hours(24 * 3650)).count();
  out.keys.push_back(key("auth.oidc", Kind::table, "", "identity providers: {issuer, client_id, client_secret, title?} by name"));
  out.topics = topics();
  out.migrations = migrations();
  out.make = [](Kernel& kernel) -> std::unique_ptr<Module> { return std::make_unique<AuthModule>(kernel); };
  out.mount = mount;
  out.connect = connect;
  out.stand_in = stand_in;
  out.stand_in_follows = {std::string(SessionRevoked::topic)};
  return out;
}

}  // namespace loggia::auth
