#include <algorithm>
#include <cstdlib>
#include "loggia/kernel/mail.hpp"
#include "loggia/kernel/module.hpp"

namespace loggia {

void Mailer::start() {
  watch_over();
  std::vector<std::function<void()>> all;
  {
    const std::lock_guard lock(mutex_);
    started_ = true;
    all.swap(waiting_);
  }
  for (const auto& begin : all) begin();
}

void Mailer::when_started(std::function<void()> begin) {
  {
    const std::lock_guard lock(mutex_);
    if (!started_) return waiting_.push_back(std::move(begin));
  }
  begin();
}

std::string link_base(const Kernel& kernel) {
  auto url = kernel.config.declares("http.public_url") ? kernel.config.text("http.public_url") : std::string();
  if (url.empty()) url = kernel.public_address;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::shared_ptr<MailRunner> mail_runner(const Kernel& kernel, std::string module, std::shared_ptr<MailQueue> queue, const Database& store) {
  if (!kernel.mailer) return nullptr;
  MailRunnerOptions options;
  options.name = std::move(module);
  options.mailer = kernel.mailer;
  options.queue = std::move(queue);
  options.shards = kernel.shards;
  options.clock = kernel.clock;
  options.random = kernel.random;
  options.metrics = kernel.metrics;
  options.alone = !store.shared();
  return std::make_shared<MailRunner>(std::move(options));
}

std::shared_ptr<Mailer> configured_mailer(const Config& config, std::shared_ptr<Shards> shards) {
  const auto url = config.text("smtp.url");
  if (url.empty() || !can_send_mail()) return nullptr;
  SmtpOptions options;
  options.server = smtp_server(url, config.text("smtp.from")).value();
  if (const char* file = std::getenv("SSL_CERT_FILE")) options.trusted = file;
  return smtp_mailer(std::move(options), std::move(shards));
}

}  // namespace loggia
