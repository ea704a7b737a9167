#pragma once
// TLS on OpenSSL, ALPN http/1.1: for the public listener 1.2 and newer; between modules 1.3 alone, where both sides show a certificate. The
// session works on the non-blocking socket itself, so an idle connection holds no buffers of ours (SSL_MODE_RELEASE_BUFFERS). Used by
// Stream; a session belongs to one shard, a context to all.
#include <sys/uio.h>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/result.hpp"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace loggia::crypto {
struct Identity;
}

namespace loggia::http {

struct IoResult {
  enum class State { ok, again, end, failed };
  State state = State::failed;
  std::size_t bytes = 0;
};

/// Why a handshake came to nothing.
enum class TlsFailure {
  none,            // it did not, or the peer just went away
  plain,           // it speaks no TLS
  version,         // nor a version that is allowed here
  no_certificate,  // it shows none
  foreign,         // no authority of ours stands behind its certificate
  expired,         // or it is not valid yet
  wrong_module,    // a certificate of another module than was expected
  other,
  by_peer,  // the peer does not like ours
};
std::string_view to_text(TlsFailure failure);

class TlsContext {
 public:
  enum class Role { server, client };
  /// For the public listener.
  static Result<std::shared_ptr<TlsContext>> load(const std::string& certificate, const std::string& private_key);
  /// Between modules.
  static Result<std::shared_ptr<TlsContext>> mutual(Role role, const crypto::Identity& identity);
  TlsContext(SSL_CTX* context, Role role, bool knows_peers) : context_{context}, role_{role}, knows_peers_{knows_peers} {}
  TlsContext(const TlsContext&) = delete;
  ~TlsContext();
  SSL_CTX* get() const { return context_; }
  Role role() const { return role_; }
  bool knows_peers() const { return knows_peers_; }

 private:
  SSL_CTX* context_;
  const Role role_;
  const bool knows_peers_;
};

class TlsSession {
 public:
  TlsSession(std::shared_ptr<TlsContext> context, int socket);
  TlsSession(const TlsSession&) = delete;
  ~TlsSession();
  /// Of a client, before anything else: the module whose certificate the other side has to show. Who expects nobody connects to nobody.
  void expect(const std::string& module);
  /// Read and write do it on their own; `ok` once it is done. After a client's the server may still refuse it: then the first read fails.
  IoResult handshake();
  IoResult read(char* out, std::size_t size);
  IoResult write(std::span<const iovec> buffers);
  bool has_unread() const;
  bool has_unsent() const { return !pending_.empty(); }
  /// The last `again` waits for the socket to be writable, whatever was tried.
  bool wants_write() const { return wants_write_; }
  /// After the handshake: the modules that the peer's verified certificate names. None without mutual TLS.
  std::shared_ptr<const std::vector<std::string>> peer();
  /// Of what `failed`.
  TlsFailure failure() const { return failure_; }
  void shutdown();

 private:
  IoResult result(int code);
  IoResult flush();
  bool usable() const { return session_ != nullptr && (expects_ || context_->role() == TlsContext::Role::server); }

  std::shared_ptr<TlsContext> context_;
  SSL* session_;
  std::string pending_;  // taken from the caller, encrypted by OpenSSL, not yet on the socket
  std::shared_ptr<const std::vector<std::string>> peer_;
  TlsFailure failure_ = TlsFailure::none;
  bool wants_write_ = false, expects_ = false;
};

}  // namespace loggia::http
