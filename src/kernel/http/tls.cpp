#include "http/tls.hpp"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <algorithm>
#include <csignal>
#include "crypto/x509.hpp"
#include "loggia/kernel/capacity.hpp"

namespace loggia::http {
namespace {

constexpr std::size_t record_max = 16u << 10;
constexpr unsigned char our_protocol[] = "\x08http/1.1";  // for ALPN (RFC 7301)

using crypto::openssl_error;

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned offered_size, void*) {
  const int chosen = SSL_select_next_proto(const_cast<unsigned char**>(out), size, our_protocol, sizeof our_protocol - 1, offered, offered_size);
  return chosen == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// What all contexts have in common.
Result<std::shared_ptr<TlsContext>> make(TlsContext::Role role, bool knows_peers) {
  auto context =
      std::make_shared<TlsContext>(SSL_CTX_new(role == TlsContext::Role::server ? TLS_server_method() : TLS_client_method()), role, knows_peers);
  SSL_CTX* raw = context->get();
  if (raw == nullptr) return Error(Errc::internal, "OpenSSL makes no context: " + openssl_error());
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to the socket without MSG_NOSIGNAL
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  if (role == TlsContext::Role::server) SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  return context;
}

TlsFailure of_alert(int reason) {
  switch (reason - SSL_AD_REASON_OFFSET) {
    case SSL3_AD_BAD_CERTIFICATE:
    case SSL3_AD_UNSUPPORTED_CERTIFICATE:
    case SSL3_AD_CERTIFICATE_REVOKED:
    case SSL3_AD_CERTIFICATE_EXPIRED:
    case SSL3_AD_CERTIFICATE_UNKNOWN:
    case TLS1_AD_UNKNOWN_CA:
    case TLS1_AD_ACCESS_DENIED:
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return TlsFailure::by_peer;
    default:
      return TlsFailure::other;
  }
}

TlsFailure of_certificate(long verified) {
  switch (verified) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return TlsFailure::expired;
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return TlsFailure::wrong_module;
    default:
      return TlsFailure::foreign;
  }
}

TlsFailure failure_of(const SSL* session, unsigned long error) {
  if (error == 0) return TlsFailure::none;
  const int reason = ERR_GET_REASON(error);
  if (reason > SSL_AD_REASON_OFFSET) return of_alert(reason);
  switch (reason) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return TlsFailure::none;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
      return TlsFailure::plain;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
      return TlsFailure::version;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TlsFailure::no_certificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return of_certificate(SSL_get_verify_result(session));
    default:
      return TlsFailure::other;
  }
}

}  // namespace

std::string_view to_text(TlsFailure failure) {
  switch (failure) {
    case TlsFailure::none:
      return "none";
    case TlsFailure::plain:
      return "plain";
    case TlsFailure::version:
      return "version";
    case TlsFailure::no_certificate:
      return "no_certificate";
    case TlsFailure::foreign:
      return "foreign";
    case TlsFailure::expired:
      return "expired";
    case TlsFailure::wrong_module:
      return "wrong_module";
    case TlsFailure::other:
      return "other";
    case TlsFailure::by_peer:
      return "by_peer";
  }
  return "other";
}

Result<std::shared_ptr<TlsContext>> TlsContext::load(const std::string& certificate, const std::string& private_key) {
  auto context = make(Role::server, false);
  if (!context) return context;
  SSL_CTX* raw = (*context)->get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  if (SSL_CTX_use_certificate_chain_file(raw, certificate.c_str()) != 1)
    return Error(Errc::invalid_request, "The certificate " + certificate + " cannot be read as PEM: " + openssl_error());
  if (SSL_CTX_use_PrivateKey_file(raw, private_key.c_str(), SSL_FILETYPE_PEM) != 1)
    return Error(Errc::invalid_request,
                 "The private key " + private_key + " cannot be read as PEM or does not belong to the certificate: " + openssl_error());
  if (SSL_CTX_check_private_key(raw) != 1)
    return Error(Errc::invalid_request, "The private key " + private_key + " does not belong to the certificate " + certificate + ".");
  return context;
}

Result<std::shared_ptr<TlsContext>> TlsContext::mutual(Role role, const crypto::Identity& identity) {
  auto context = make(role, true);
  if (!context) return context;
  SSL_CTX* raw = (*context)->get();
  SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION);
  // Nothing is resumed: every connection is verified by what is believed when it begins.
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  for (const auto& authority : identity.authorities) X509_STORE_add_cert(SSL_CTX_get_cert_store(raw), authority.get());
  if (role == Role::client) SSL_CTX_set_alpn_protos(raw, our_protocol, sizeof our_protocol - 1);
  bool taken = SSL_CTX_use_certificate(raw, identity.chain.front().get()) == 1 && SSL_CTX_use_PrivateKey(raw, identity.key.get()) == 1;
  for (std::size_t at = 1; at < identity.chain.size(); ++at) taken = taken && SSL_CTX_add1_chain_cert(raw, identity.chain[at].get()) == 1;
  if (!taken) return Error(Errc::invalid_request, "The certificate for other modules cannot be used: " + openssl_error() + ". Make another one.");
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, int socket) : context_{std::move(context)}, session_{SSL_new(context_->get())} {
  if (session_ == nullptr) return;
  SSL_set_fd(session_, socket);
  if (context_->role() == TlsContext::Role::server) SSL_set_accept_state(session_);
  else SSL_set_connect_state(session_);
}

TlsSession::~TlsSession() { SSL_free(session_); }

void TlsSession::expect(const std::string& module) {
  // A dot in front would mean any name below, and localhost is in every certificate, for people's tools.
  if (session_ == nullptr || module.empty() || module.front() == '.' || module == "localhost") return;
  SSL_set_hostflags(session_, X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  expects_ = SSL_set1_host(session_, module.c_str()) == 1 && SSL_set_tlsext_host_name(session_, module.c_str()) == 1;
  ERR_clear_error();
}

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
      failure_ = failure_of(session_, ERR_peek_error());
      break;
  }
  ERR_clear_error();
  return out;
}

IoResult TlsSession::handshake() {
  wants_write_ = false;
  if (!usable()) return IoResult();
  ERR_clear_error();
  const int done = SSL_do_handshake(session_);
  return done == 1 ? IoResult{IoResult::State::ok, 0} : result(done);
}

std::shared_ptr<const std::vector<std::string>> TlsSession::peer() {
  if (session_ == nullptr || peer_ || !context_->knows_peers() || SSL_is_init_finished(session_) != 1 || SSL_get_verify_result(session_) != X509_V_OK)
    return peer_;
  if (const X509* shown = SSL_get0_peer_certificate(session_)) peer_ = std::make_shared<const std::vector<std::string>>(crypto::names_of(*shown));
  return peer_;
}

IoResult TlsSession::read(char* out, std::size_t size) {
  wants_write_ = false;
  if (!usable()) return IoResult();
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
  give_back(pending_);
  return IoResult{IoResult::State::ok, 0};
}

/// What is joined here counts as written: OpenSSL wants to be called again with the same bytes, which the caller may no longer have.
IoResult TlsSession::write(std::span<const iovec> buffers) {
  wants_write_ = false;
  if (!usable()) return IoResult();
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
