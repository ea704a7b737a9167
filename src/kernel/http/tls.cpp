#include "http/tls.hpp"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <algorithm>

namespace loggia::http {
namespace {

constexpr std::size_t record_max = 16u << 10;

std::string last_error() {
  char text[256] = "unknown";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  const int chosen = SSL_select_next_proto(const_cast<unsigned char**>(out), size, ours, sizeof ours - 1, offered, offered_size);
  return chosen == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::load(const std::string& certificate, const std::string& private_key) {
  auto context = std::make_shared<TlsContext>(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* raw = context->get();
  if (raw == nullptr) return Error(Errc::internal, "OpenSSL makes no context: " + last_error());
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(raw, certificate.c_str()) != 1)
    return Error(Errc::invalid_request, "The certificate " + certificate + " cannot be read as PEM: " + last_error());
  if (SSL_CTX_use_PrivateKey_file(raw, private_key.c_str(), SSL_FILETYPE_PEM) != 1)
    return Error(Errc::invalid_request,
                 "The private key " + private_key + " cannot be read as PEM or does not belong to the certificate: " + last_error());
  if (SSL_CTX_check_private_key(raw) != 1)
    return Error(Errc::invalid_request, "The private key " + private_key + " does not belong to the certificate " + certificate + ".");
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, int socket) : context_{std::move(context)}, session_{SSL_new(context_->get())} {
  if (session_ == nullptr) return;
  SSL_set_fd(session_, socket);
  SSL_set_accept_state(session_);
}

TlsSession::~TlsSession() { SSL_free(session_); }

IoResult TlsSession::result(int code) {
  IoResult out;
  switch (SSL_get_error(session_, code)) {
    case SSL_ERROR_WANT_READ:
      out.state = IoResult::State::again;
      break;
    case SSL_ERROR_WANT_WRITE:
      out.state = IoResult::State::again;
      wants_write_ = true;
      break;
    case SSL_ERROR_ZERO_RETURN:
      out.state = IoResult::State::end;
      break;
    default:
      out.state = IoResult::State::failed;
      break;
  }
  ERR_clear_error();
  return out;
}

IoResult TlsSession::read(char* out, std::size_t size) {
  wants_write_ = false;
  if (session_ == nullptr) return IoResult();
  ERR_clear_error();
  const int got = SSL_read(session_, out, static_cast<int>(std::min<std::size_t>(size, 1u << 20)));
  if (got <= 0) return result(got);
  return IoResult{IoResult::State::ok, static_cast<std::size_t>(got)};
}

IoResult TlsSession::flush() {
  while (!pending_.empty()) {
    ERR_clear_error();
    const int sent = SSL_write(session_, pending_.data(), static_cast<int>(pending_.size()));
    if (sent <= 0) return result(sent);
    pending_.erase(0, static_cast<std::size_t>(sent));
  }
  pending_ = std::string();
  return IoResult{IoResult::State::ok, 0};
}

/// What is joined here counts as written: OpenSSL wants to be called again with the same bytes, which the caller may no longer have.
IoResult TlsSession::write(std::span<const iovec> buffers) {
  wants_write_ = false;
  if (session_ == nullptr) return IoResult();
  if (auto flushed = flush(); flushed.state != IoResult::State::ok) return flushed;
  std::size_t taken = 0;
  for (const auto& buffer : buffers) {
    const auto part = std::min(buffer.iov_len, record_max - taken);
    pending_.append(static_cast<const char*>(buffer.iov_base), part);
    taken += part;
    if (taken == record_max) break;
  }
  auto flushed = flush();
  if (flushed.state != IoResult::State::ok && flushed.state != IoResult::State::again) return flushed;
  return IoResult{IoResult::State::ok, taken};
}

bool TlsSession::has_unread() const { return session_ != nullptr && SSL_pending(session_) > 0; }

void TlsSession::shutdown() {
  if (session_ != nullptr && SSL_is_init_finished(session_) == 1) SSL_shutdown(session_);
  ERR_clear_error();
}

}  // namespace loggia::http
