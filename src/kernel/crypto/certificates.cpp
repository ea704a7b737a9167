#include "loggia/kernel/certificates.hpp"
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include "crypto/x509.hpp"
#include "loggia/kernel/config.hpp"

namespace loggia {
namespace {

namespace fs = std::filesystem;
using crypto::Certificate;
using crypto::PrivateKey;
constexpr long day = 86400, renewal = 30 * day;
constexpr std::chrono::seconds authority_lifetime{3650 * day};
constexpr const char* authority_name = "Loggia development CA";

struct Authority {
  Certificate certificate;
  PrivateKey key;
};

Error failed(const std::string& what) { return Error(Errc::internal, what + ": " + crypto::openssl_error()); }

/// Or nothing is done: a name goes into the SAN as text.
bool plain_name(std::string_view name) {
  const auto fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), fine);
}

Result<bool> write_file(const fs::path& path, BIO* content, mode_t mode) {
  const auto cannot = [&path] { return Error(Errc::unavailable, "Cannot write " + path.string() + ": " + std::strerror(errno) + "."); };
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(content, &bytes);
  const std::string beside = path.string() + ".new";
  ::unlink(beside.c_str());
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return cannot();
  const bool written = ::write(file, bytes, static_cast<std::size_t>(size)) == size && ::fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(beside.c_str(), path.c_str()) != 0) return cannot();
  return true;
}

/// The key first: who looks in between sees a pair that does not fit, not a certificate that cannot be used.
Result<bool> write_pair(const fs::path& certificate_path, const fs::path& key_path, X509& certificate, EVP_PKEY& key) {
  struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
  };
  const std::unique_ptr<BIO, Free> secret(BIO_new(BIO_s_mem())), open(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(secret.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1 || PEM_write_bio_X509(open.get(), &certificate) != 1)
    return failed("Cannot write a certificate as PEM");
  if (auto done = write_file(key_path, secret.get(), 0600); !done) return done;
  return write_file(certificate_path, open.get(), 0644);
}

bool add_extension(X509& to, X509V3_CTX& context, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(&to, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_serial(X509& certificate) {
  BIGNUM* number = BN_new();
  const bool made = number != nullptr && BN_rand(number, 159, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
                    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(&certificate)) != nullptr;
  BN_free(number);
  return made;
}

bool set_subject(X509& certificate, const std::string& name) {
  auto* subject = X509_get_subject_name(&certificate);
  const auto add = [subject](const char* field, const char* text) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text), -1, -1, 0) == 1;
  };
  return add("O", "Loggia") && add("CN", name.c_str());
}

/// Signed by `authority`, or by itself where that is null.
Result<Authority> issue(const std::string& name, const std::string& subject_alt_name, CertificateTimes times, const Authority* authority) {
  Authority out;
  out.certificate.reset(X509_new());
  out.key.reset(EVP_EC_gen("P-256"));
  if (!out.certificate || !out.key) return failed("OpenSSL makes no key");
  X509& made = *out.certificate;
  X509& issuer = authority == nullptr ? made : *authority->certificate;
  bool good = X509_set_version(&made, X509_VERSION_3) == 1 && set_serial(made) && set_subject(made, name) &&
              X509_set_issuer_name(&made, X509_get_subject_name(&issuer)) == 1 && X509_set_pubkey(&made, out.key.get()) == 1 &&
              X509_gmtime_adj(X509_getm_notBefore(&made), times.from.count()) != nullptr &&
              X509_gmtime_adj(X509_getm_notAfter(&made), times.until.count()) != nullptr;
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &made, nullptr, nullptr, 0);
  good = good && add_extension(made, context, NID_subject_key_identifier, "hash");
  if (authority == nullptr) {
    good = good && add_extension(made, context, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(made, context, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    good = good && add_extension(made, context, NID_authority_key_identifier, "keyid:always") &&
           add_extension(made, context, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(made, context, NID_key_usage, "critical,digitalSignature") &&
           add_extension(made, context, NID_ext_key_usage, "serverAuth,clientAuth") &&
           add_extension(made, context, NID_subject_alt_name, subject_alt_name);
  }
  if (!good || X509_sign(&made, authority == nullptr ? out.key.get() : authority->key.get(), EVP_sha256()) <= 0)
    return failed("Cannot make the certificate " + name);
  return out;
}

bool is_ours(const X509& certificate) {
  char name[128] = "";
  X509_NAME_get_text_by_NID(X509_get_issuer_name(&certificate), NID_commonName, name, sizeof name);
  return std::string_view(name) == authority_name;
}

std::string line_of(const fs::path& path, const std::string& what) { return path.string() + ": " + what; }
std::string days_of(long seconds) { return std::to_string(seconds / day) + " days"; }

Error not_ours(const fs::path& path) {
  return Error(Errc::invalid_request,
               path.string() + " was not made by `loggia certs`, so it is left as it is: use it as it is, or move it away to have one made here.");
}

/// That of the directory, else a new one.
Result<Authority> authority_of(const fs::path& directory, std::vector<std::string>& made) {
  const auto path = directory / "ca.pem", key_path = directory / "ca.key";
  if (fs::exists(path)) {
    auto all = crypto::read_certificates(path, "CA bundle");
    if (!all) return all.error();
    if (all->size() != 1 || !is_ours(*all->front())) return not_ours(path);
    if (crypto::seconds_left(*all->front()) > renewal) {
      if (!fs::exists(key_path))
        return Error(Errc::invalid_request, key_path.string() + " is missing, and without it nothing new can be signed: put it back, or remove " +
                                                path.string() + " too, to have a new authority and new certificates made.");
      Authority out;
      auto key = crypto::read_private_key(key_path);
      if (!key) return key.error();
      out.certificate = std::move(all->front());
      out.key = std::move(*key);
      if (X509_check_private_key(out.certificate.get(), out.key.get()) != 1) {
        crypto::openssl_error();
        return Error(Errc::invalid_request,
                     "The key " + key_path.string() + " does not belong to " + path.string() + ": remove both to have new ones made.");
      }
      return out;
    }
  }
  CertificateTimes times;
  times.until = authority_lifetime;
  auto out = issue(authority_name, std::string(), times, nullptr);
  if (!out) return out;
  if (auto written = write_pair(path, key_path, *out->certificate, *out->key); !written) return written.error();
  made.push_back(line_of(path, "an authority for development, " + days_of(authority_lifetime.count())));
  made.push_back(line_of(key_path, "its key; whoever has it can be any module"));
  return out;
}

/// Ours, for these modules, of this authority, with its key, and good for a while.
Result<bool> is_good(const fs::path& path, const fs::path& key_path, const fs::path& ca, const DevelopmentCertificate& wanted) {
  if (!fs::exists(path)) return false;
  const auto all = crypto::read_certificates(path, "certificate");
  if (!all || !is_ours(*all->front())) return not_ours(path);
  const auto identity = crypto::read_identity(path, key_path, ca);
  if (!identity) return false;
  const X509& own = *identity->chain.front();
  auto names = crypto::names_of(own), modules = wanted.modules;
  std::sort(names.begin(), names.end());
  std::sort(modules.begin(), modules.end());
  return names == modules && crypto::seconds_left(own) > renewal;
}

Result<bool> make_one(const fs::path& directory, const Authority& authority, const DevelopmentCertificate& wanted, CertificateTimes times,
                      std::vector<std::string>& made) {
  const auto path = directory / (wanted.name + ".pem"), key_path = directory / (wanted.name + ".key");
  const auto good = is_good(path, key_path, directory / "ca.pem", wanted);
  if (!good || *good) return good;
  std::string names;
  for (const auto& module : wanted.modules) names += "DNS:" + module + ",";
  auto issued = issue(wanted.name, names + "DNS:localhost,IP:127.0.0.1,IP:::1", times, &authority);
  if (!issued) return issued.error();
  if (auto written = write_pair(path, key_path, *issued->certificate, *issued->key); !written) return written;
  made.push_back(line_of(path, "for " + joined(wanted.modules) + ", " + days_of(crypto::seconds_left(*issued->certificate))));
  made.push_back(line_of(key_path, "its key"));
  return true;
}

}  // namespace

Result<std::vector<std::string>> make_development_certificates(const fs::path& directory, const std::vector<DevelopmentCertificate>& wanted,
                                                               CertificateTimes times) {
  for (const auto& one : wanted) {
    bool good = plain_name(one.name) && one.name != "ca" && !one.modules.empty();
    for (const auto& module : one.modules) good = good && plain_name(module) && module != "localhost";
    if (!good)
      return Error(Errc::invalid_request,
                   "\"" + one.name + "\" cannot have a certificate: names consist of a-z, 0-9, - and _, are not \"ca\", and have modules.");
  }
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Error(Errc::unavailable, "Cannot make the directory " + directory.string() + ": " + error.message() + ".");
  std::vector<std::string> made;
  const auto authority = authority_of(directory, made);
  if (!authority) return authority.error();
  for (const auto& one : wanted)
    if (auto done = make_one(directory, *authority, one, times, made); !done) return done.error();
  return made;
}

}  // namespace loggia
