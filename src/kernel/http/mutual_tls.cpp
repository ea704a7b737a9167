#include "loggia/kernel/mutual_tls.hpp"
#include <sys/stat.h>
#include "crypto/x509.hpp"
#include "http/tls.hpp"
#include "loggia/kernel/config.hpp"
#include "loggia/kernel/log.hpp"

namespace loggia {

struct MutualTls::Loaded {
  crypto::Identity identity;
  std::shared_ptr<http::TlsContext> server, client;
  static Result<std::shared_ptr<const Loaded>> of(const MutualTlsFiles& files);
};

Result<std::shared_ptr<const MutualTls::Loaded>> MutualTls::Loaded::of(const MutualTlsFiles& files) {
  auto identity = crypto::read_identity(files.certificate, files.private_key, files.ca);
  if (!identity) return identity.error();
  auto out = std::make_shared<Loaded>();
  out->identity = std::move(*identity);
  auto server = http::TlsContext::mutual(http::TlsContext::Role::server, out->identity);
  if (!server) return server.error();
  auto client = http::TlsContext::mutual(http::TlsContext::Role::client, out->identity);
  if (!client) return client.error();
  out->server = std::move(*server);
  out->client = std::move(*client);
  return std::shared_ptr<const Loaded>(std::move(out));
}

MutualTls::MutualTls(Loading, MutualTlsFiles files) : files_{std::move(files)} {}
MutualTls::~MutualTls() = default;

Result<std::shared_ptr<MutualTls>> MutualTls::load(MutualTlsFiles files) {
  auto out = std::make_shared<MutualTls>(Loading(), std::move(files));
  if (auto loaded = out->reload(); !loaded) return loaded.error();
  return out;
}

/// Which files these are, and since when.
std::string MutualTls::look() const {
  std::string out;
  for (const auto* path : {&files_.certificate, &files_.private_key, &files_.ca}) {
    struct stat found{};
    if (::stat(path->c_str(), &found) != 0) out += "none";
    else
      for (const auto number :
           {static_cast<long>(found.st_ino), static_cast<long>(found.st_size), static_cast<long>(found.st_mtim.tv_sec), found.st_mtim.tv_nsec})
        out += std::to_string(number) + ' ';
    out += '/';
  }
  return out;
}

Result<bool> MutualTls::reload_changed() {
  {
    std::lock_guard lock(mutex_);
    if (look() == seen_) return false;
  }
  return reload();
}

Result<bool> MutualTls::reload() {
  auto seen = look();  // before the files are read: what changes meanwhile is seen as a change
  {
    std::lock_guard lock(mutex_);
    seen_ = std::move(seen);
  }
  auto loaded = Loaded::of(files_);
  if (!loaded) return loaded.error();
  std::lock_guard lock(mutex_);
  loaded_ = std::move(*loaded);
  return true;
}

std::shared_ptr<const MutualTls::Loaded> MutualTls::now() const {
  std::lock_guard lock(mutex_);
  return loaded_;
}

std::shared_ptr<http::TlsContext> MutualTls::server() const { return now()->server; }
std::shared_ptr<http::TlsContext> MutualTls::client() const { return now()->client; }
std::vector<std::string> MutualTls::names() const { return crypto::names_of(*now()->identity.chain.front()); }
long MutualTls::seconds_left() const { return crypto::seconds_left(*now()->identity.chain.front()); }

namespace {

class Looking : public std::enable_shared_from_this<Looking> {
 public:
  Looking(std::shared_ptr<MutualTls> tls, const std::shared_ptr<Shards>& shards, milliseconds every)
      : tls_{std::move(tls)}, shards_{shards}, every_{every} {}
  /// On shard 0, as the end.
  void wait() {
    const auto shards = shards_.lock();
    if (!shards) return;
    timer_ = shards->after(0, every_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->look();
      self->wait();
    });
  }

 private:
  void look() {
    const auto changed = tls_->reload_changed();
    if (!changed) log::error("rpc.certificates_unusable", Field("why", changed.error().detail), Field("in_use", "the ones before"));
    else if (*changed) log::info("rpc.certificates_reloaded", Field("days_left", tls_->seconds_left() / 86400));
  }

  const std::shared_ptr<MutualTls> tls_;
  const std::weak_ptr<Shards> shards_;
  const milliseconds every_;
  Shards::Timer timer_;
};

}  // namespace

std::shared_ptr<void> keep_current(std::shared_ptr<MutualTls> tls, std::shared_ptr<Shards> shards, milliseconds every) {
  auto looking = std::make_shared<Looking>(std::move(tls), shards, every);
  shards->post(0, [looking] { looking->wait(); });
  auto* raw = looking.get();
  return std::shared_ptr<void>(raw, [looking = std::move(looking), shards = std::weak_ptr(shards)](void*) mutable {
    if (const auto there = shards.lock()) there->post(0, [looking = std::move(looking)]() mutable { looking = nullptr; });
  });
}

Result<std::shared_ptr<MutualTls>> configured_mutual_tls(const Config& config) {
  MutualTlsFiles files;
  files.certificate = config.text("rpc.tls.certificate");
  files.private_key = config.text("rpc.tls.private_key");
  files.ca = config.text("rpc.tls.ca");
  if (files.certificate.empty()) return std::shared_ptr<MutualTls>();
  return MutualTls::load(std::move(files));
}

}  // namespace loggia
