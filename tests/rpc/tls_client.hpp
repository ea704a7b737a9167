#pragma once
// A client that shows what a test says: it hides nothing of what the listener does.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdexcept>
#include <string>
#include "http/raw_client.hpp"
#include "support/certificates.hpp"

namespace loggia::rpc::testing {

namespace fs = test::fs;
using test::Certificates;

/// What a client shows, and what it can.
struct Shown {
  std::string certificate, private_key;  // none
  int newest = TLS1_3_VERSION;
};

/// Believes any server.
class TlsClient : private http::RawClient {
 public:
  TlsClient(const std::string& address, const Shown& shown) : RawClient(address), context_{SSL_CTX_new(TLS_client_method())} {
    SSL_CTX_set_max_proto_version(context_, shown.newest);
    if (!shown.certificate.empty() && (SSL_CTX_use_certificate_chain_file(context_, shown.certificate.c_str()) != 1 ||
                                       SSL_CTX_use_PrivateKey_file(context_, shown.private_key.c_str(), SSL_FILETYPE_PEM) != 1))
      throw std::runtime_error("the test has no such certificate");
    session_ = SSL_new(context_);
    SSL_set_fd(session_, socket());
    connected_ = SSL_connect(session_) == 1;
    ERR_clear_error();
  }
  TlsClient(const TlsClient&) = delete;
  ~TlsClient() {
    SSL_free(session_);
    SSL_CTX_free(context_);
  }
  bool connected() const { return connected_; }
  int version() const { return SSL_version(session_); }
  bool resumable() const { return SSL_SESSION_is_resumable(SSL_get_session(session_)) == 1; }
  /// Sends it, and all that comes until the end or the end of one answer without a body; nothing where the listener has hung up.
  std::string ask(const std::string& text) {
    if (!connected_ || SSL_write(session_, text.data(), static_cast<int>(text.size())) <= 0) return std::string();
    std::string out;
    char bytes[4096];
    while (out.find("\r\n\r\n") == out.npos) {
      const int got = SSL_read(session_, bytes, sizeof bytes);
      if (got <= 0) break;
      out.append(bytes, static_cast<std::size_t>(got));
    }
    ERR_clear_error();
    return out;
  }

 private:
  SSL_CTX* context_;
  SSL* session_ = nullptr;
  bool connected_ = false;
};

}  // namespace loggia::rpc::testing
