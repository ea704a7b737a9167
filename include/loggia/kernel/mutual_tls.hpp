#pragma once
// Who this process is to other modules, and whom it believes: its certificate with the modules it holds in the SAN, its key, and the
// authority of all. TLS 1.3 alone, both sides show a certificate. Shared by the inner listener and every transport; safe from every thread.
#include <memory>
#include <mutex>
#include <string>
#include <vector>
#include "loggia/kernel/result.hpp"
#include "loggia/kernel/shards.hpp"

namespace loggia {

class Config;
namespace http {
class TlsContext;
}

struct MutualTlsFiles {
  std::string certificate, private_key, ca;  // PEM; `ca` may hold several authorities
};

class MutualTls {
  struct Loading {
    explicit Loading() = default;
  };

 public:
  /// For load() alone.
  MutualTls(Loading, MutualTlsFiles files);
  /// Errc::invalid_request names the file and what to do about it.
  static Result<std::shared_ptr<MutualTls>> load(MutualTlsFiles files);
  ~MutualTls();
  /// Reads the files again, for connections from now on; those that are there stay. At an error all stays as it was.
  Result<bool> reload();
  /// The same where a file is another than when it was last looked at; false: none is.
  Result<bool> reload_changed();

  std::shared_ptr<http::TlsContext> server() const;
  /// Its sessions must be told whom they expect.
  std::shared_ptr<http::TlsContext> client() const;
  /// The modules that this process is, by its certificate.
  std::vector<std::string> names() const;
  /// Seconds until the certificate expires.
  long seconds_left() const;

 private:
  struct Loaded;
  std::shared_ptr<const Loaded> now() const;
  std::string look() const;

  const MutualTlsFiles files_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Loaded> loaded_;
  std::string seen_;  // what look() said last
};

/// Reloads what changes on the disk, until the handle is dropped; what goes wrong is logged, once for each change. Looks on shard 0.
std::shared_ptr<void> keep_current(std::shared_ptr<MutualTls> tls, std::shared_ptr<Shards> shards, milliseconds every);

/// Of rpc.tls.*; none where no certificate is named.
Result<std::shared_ptr<MutualTls>> configured_mutual_tls(const Config& config);

}  // namespace loggia
