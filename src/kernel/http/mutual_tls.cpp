#include "loggia/kernel/mutual_tls.hpp"
#include "crypto/x509.hpp"
#include "http/tls.hpp"

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

MutualTls::MutualTls(MutualTlsFiles files) : files_{std::move(files)} {}
MutualTls::~MutualTls() = default;

Result<std::shared_ptr<MutualTls>> MutualTls::load(MutualTlsFiles files) {
  std::shared_ptr<MutualTls> out(new MutualTls(std::move(files)));
  if (auto loaded = out->reload(); !loaded) return loaded.error();
  return out;
}

Result<bool> MutualTls::reload() {
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

}  // namespace loggia
