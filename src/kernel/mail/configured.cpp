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
  const auto& keys = kernel.config.keys();
  const bool known = std::any_of(keys.begin(), keys.end(), [](const ConfigKey& key) { return key.name == "http.public_url"; });
  auto url = known ? kernel.config.text("http.public_url") : std::string();
  if (url.empty()) url = kernel.public_address;
  while (url.ends_with('/')) url.pop_back();
  return url;
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
