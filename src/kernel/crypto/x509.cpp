#include "crypto/x509.hpp"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <cerrno>
#include <cstring>

namespace loggia::crypto {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

Error unusable(std::string text) { return Error(Errc::invalid_request, std::move(text)); }

Result<File> opened(const std::string& path, std::string_view what) {
  File file(std::fopen(path.c_str(), "re"));
  if (file) return file;
  const std::string of = "The " + std::string(what) + " " + path;
  if (errno == ENOENT) return unusable(of + " is not there: `loggia certs DIR` makes one for development, or correct the path.");
  return unusable(of + " cannot be read: " + std::strerror(errno) + ". Let the user that runs loggia read it.");
}

/// No terminal is asked for a password.
int no_password(char*, int, int, void*) { return -1; }

std::string day_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unknown day";
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts));
}

struct FreeStore {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

/// X509_V_OK, or why no authority stands behind it.
int verified(const Identity& identity) {
  const std::unique_ptr<X509_STORE, FreeStore> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, FreeStore> context(X509_STORE_CTX_new());
  const std::unique_ptr<STACK_OF(X509), FreeStore> between(sk_X509_new_null());
  for (const auto& authority : identity.authorities) X509_STORE_add_cert(store.get(), authority.get());
  for (const auto& certificate : identity.chain) sk_X509_push(between.get(), certificate.get());
  if (X509_STORE_CTX_init(context.get(), store.get(), identity.chain.front().get(), between.get()) != 1) return X509_V_ERR_UNSPECIFIED;
  X509_verify_cert(context.get());
  const int out = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  return out;
}

}  // namespace

void FreeX509::operator()(X509* certificate) const { X509_free(certificate); }
void FreeX509::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

std::string openssl_error() {
  char text[256] = "unknown";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

Result<std::vector<Certificate>> read_certificates(const std::string& path, std::string_view what) {
  auto file = opened(path, what);
  if (!file) return file.error();
  std::vector<Certificate> out;
  while (auto* certificate = PEM_read_X509(file->get(), nullptr, no_password, nullptr)) out.emplace_back(certificate);
  const bool to_the_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (out.empty() || !to_the_end)
    return unusable("The " + std::string(what) + " " + path + " holds " + (out.empty() ? "no certificate" : "something broken") +
                    " in PEM form (-----BEGIN CERTIFICATE-----): correct the path or the file.");
  return out;
}

Result<PrivateKey> read_private_key(const std::string& path) {
  auto file = opened(path, "private key");
  if (!file) return file.error();
  PrivateKey out(PEM_read_PrivateKey(file->get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!out)
    return unusable("The private key " + path +
                    " holds no key in PEM form without a password (-----BEGIN PRIVATE KEY-----): correct the path or the file.");
  return out;
}

std::vector<std::string> names_of(const X509& certificate) {
  std::vector<std::string> out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int at = 0; at < sk_GENERAL_NAME_num(names); ++at) {
    const auto* name = sk_GENERAL_NAME_value(names, at);
    if (name->type != GEN_DNS) continue;
    std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                     static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (!text.empty() && text.find('\0') == text.npos && text != "localhost") out.push_back(std::move(text));
  }
  GENERAL_NAMES_free(names);
  return out;
}

long seconds_left(const X509& certificate) {
  int days = 0, seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(&certificate)) != 1) return -1;
  return days * 86400L + seconds;
}

bool from_the_future(const X509& certificate) { return X509_cmp_current_time(X509_get0_notBefore(&certificate)) > 0; }

Result<Identity> read_identity(const std::string& certificate, const std::string& private_key, const std::string& ca) {
  Identity out;
  auto chain = read_certificates(certificate, "certificate");
  if (!chain) return chain.error();
  auto key = read_private_key(private_key);
  if (!key) return key.error();
  auto authorities = read_certificates(ca, "CA bundle");
  if (!authorities) return authorities.error();
  out.chain = std::move(*chain);
  out.key = std::move(*key);
  out.authorities = std::move(*authorities);
  const X509& own = *out.chain.front();
  const std::string of = "The certificate " + certificate;
  if (X509_check_private_key(&own, out.key.get()) != 1) {
    ERR_clear_error();
    return unusable("The private key " + private_key + " does not belong to the certificate " + certificate +
                    ": name the two that were made together.");
  }
  if (seconds_left(own) <= 0) return unusable(of + " has expired on " + day_of(X509_get0_notAfter(&own)) + ": renew it (`loggia certs DIR` does).");
  if (from_the_future(own))
    return unusable(of + " is not valid before " + day_of(X509_get0_notBefore(&own)) + ": look at the clock of this machine.");
  if (const int wrong = verified(out); wrong != X509_V_OK)
    return unusable(of + " is not signed by an authority in the CA bundle " + ca + " (" + X509_verify_cert_error_string(wrong) +
                    "): name the bundle that it was made with.");
  if (names_of(own).empty()) return unusable(of + " names no module: it needs one as a DNS name in its subjectAltName.");
  return out;
}

}  // namespace loggia::crypto
