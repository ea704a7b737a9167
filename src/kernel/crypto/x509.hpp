#pragma once
// X.509 as the kernel uses it: what belongs to OpenSSL and is freed once, and what a process shows to other modules. Inside src/kernel alone.
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/result.hpp"

typedef struct x509_st X509;
typedef struct evp_pkey_st EVP_PKEY;

namespace loggia::crypto {

struct FreeX509 {
  void operator()(X509* certificate) const;
  void operator()(EVP_PKEY* key) const;
};
using Certificate = std::unique_ptr<X509, FreeX509>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeX509>;

/// The oldest error of this thread in OpenSSL's words; forgets them all.
std::string openssl_error();

/// All certificates of a PEM file, in order, at least one. `what` and `key` are for the error: "certificate", "rpc.tls.certificate".
Result<std::vector<Certificate>> read_certificates(const std::string& path, std::string_view what);
Result<PrivateKey> read_private_key(const std::string& path);

/// The DNS names in its SAN, but for "localhost", which names no one.
std::vector<std::string> names_of(const X509& certificate);
/// Whole seconds until it is valid no longer; negative: since then.
long seconds_left(const X509& certificate);
/// It is not valid yet.
bool from_the_future(const X509& certificate);

/// What a process shows to others, and whom it believes: its certificate (and what is between it and the authority), key, authorities.
struct Identity {
  std::vector<Certificate> chain;  // its own first
  PrivateKey key;
  std::vector<Certificate> authorities;
};
/// Read and checked: the key belongs to the certificate, which is valid now, signed by an authority and names a module.
Result<Identity> read_identity(const std::string& certificate, const std::string& private_key, const std::string& ca);

}  // namespace loggia::crypto
