#pragma once
// TLS for the listener, on OpenSSL: TLS 1.2 and newer, ALPN http/1.1. The session works on the non-blocking socket itself, so an idle
// connection holds no buffers of ours (SSL_MODE_RELEASE_BUFFERS). Used by Stream; a session belongs to one shard, a context to all.
#include <sys/uio.h>
#include <memory>
#include <span>
#include <string>
#include "loggia/kernel/result.hpp"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace loggia::http {

struct IoResult {
  enum class State { ok, again, end, failed };
  State state = State::failed;
  std::size_t bytes = 0;
};

class TlsContext {
 public:
  static Result<std::shared_ptr<TlsContext>> load(const std::string& certificate, const std::string& private_key);
  explicit TlsContext(SSL_CTX* context) : context_{context} {}
  TlsContext(const TlsContext&) = delete;
  ~TlsContext();
  SSL_CTX* get() const { return context_; }

 private:
  SSL_CTX* context_;
};

class TlsSession {
 public:
  TlsSession(std::shared_ptr<TlsContext> context, int socket);
  TlsSession(const TlsSession&) = delete;
  ~TlsSession();
  IoResult read(char* out, std::size_t size);
  IoResult write(std::span<const iovec> buffers);
  bool has_unread() const;
  bool has_unsent() const { return !pending_.empty(); }
  /// The last `again` waits for the socket to be writable, whatever was tried.
  bool wants_write() const { return wants_write_; }
  void shutdown();

 private:
  IoResult result(int code);
  IoResult flush();

  std::shared_ptr<TlsContext> context_;
  SSL* session_;
  std::string pending_;  // taken from the caller, encrypted by OpenSSL, not yet on the socket
  bool wants_write_ = false;
};

}  // namespace loggia::http
