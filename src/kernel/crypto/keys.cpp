#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdexcept>
#include "loggia/kernel/crypto.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::crypto {
namespace {

template <auto Free> struct Freed {
  template <class T> void operator()(T* pointer) const { Free(pointer); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;

constexpr std::size_t half = 32;  // bytes of r, s, x and y on P-256

void must(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

std::string coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  must(EVP_PKEY_get_bn_param(key, name, &raw) == 1, name);
  const Number number(raw);
  std::string out(half, '\0');
  must(BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(out.data()), half) == static_cast<int>(half), name);
  return out;
}

}  // namespace

struct SigningKey::Key {
  KeyPointer pointer;
  std::string x, y, kid;
  explicit Key(KeyPointer key)
      : pointer{std::move(key)},
        x{base64url(coordinate(pointer.get(), OSSL_PKEY_PARAM_EC_PUB_X))},
        y{base64url(coordinate(pointer.get(), OSSL_PKEY_PARAM_EC_PUB_Y))} {
    kid = base64url(sha256("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" + x + "\",\"y\":\"" + y + "\"}"));
  }
};

SigningKey SigningKey::generate() {
  SigningKey out;
  KeyPointer key(EVP_EC_gen("P-256"));
  must(key != nullptr, "a key could not be made");
  out.key_ = std::make_shared<Key>(std::move(key));
  return out;
}

Result<SigningKey> SigningKey::from_pem(const std::string& pem) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  KeyPointer key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC) return Error(Errc::internal, "the stored signing key cannot be read");
  char group[32] = "";
  if (EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) != 1 || std::string_view(group) != "prime256v1")
    return Error(Errc::internal, "the stored signing key is not on the curve P-256");
  SigningKey out;
  out.key_ = std::make_shared<Key>(std::move(key));
  return out;
}

std::string SigningKey::pem() const {
  const Memory memory(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_PKCS8PrivateKey(memory.get(), key_->pointer.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "a key could not be written");
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string SigningKey::kid() const { return key_->kid; }

std::string SigningKey::jwk() const {
  return R"({"kty":"EC","crv":"P-256","x":")" + key_->x + R"(","y":")" + key_->y + R"(","kid":")" + key_->kid + R"(","alg":"ES256","use":"sig"})";
}

std::string SigningKey::sign(std::string_view data) const {
  const DigestContext context(EVP_MD_CTX_new());
  must(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_->pointer.get()) == 1, "signing");
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
  must(EVP_DigestSign(context.get(), nullptr, &size, bytes, data.size()) == 1, "signing");
  std::string der(size, '\0');
  must(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size, bytes, data.size()) == 1, "signing");
  const auto* from = reinterpret_cast<const unsigned char*>(der.data());
  const Signature signature(d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(size)));
  must(signature != nullptr, "signing");
  std::string out(2 * half, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  must(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, half) > 0 && BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + half, half) > 0,
       "signing");
  return out;
}

struct VerifyKey::Key {
  KeyPointer pointer;
};

Result<VerifyKey> VerifyKey::from_jwk(const std::string& jwk) {
  const auto bad = [] { return Error(Errc::internal, "is no EC P-256 key"); };
  auto parsed = parse_untrusted(jwk);
  if (!parsed || !parsed->is_object()) return bad();
  const auto text = [&](const char* name) {
    const auto found = parsed->find(name);
    return found != parsed->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (text("kty") != "EC" || text("crv") != "P-256") return bad();
  const auto x = from_base64url(text("x")), y = from_base64url(text("y"));
  if (!x || !y || x->size() != half || y->size() != half) return bad();
  const auto point = "\x04" + *x + *y;
  const std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>> build(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  const std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>> parameters(OSSL_PARAM_BLD_to_param(build.get()));
  const std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* raw = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return bad();
  VerifyKey out;
  out.kid_ = text("kid");
  out.key_ = std::make_shared<Key>();
  out.key_->pointer.reset(raw);
  return out;
}

bool VerifyKey::verify(std::string_view data, std::string_view signature) const {
  if (signature.size() != 2 * half) return false;
  const auto* from = reinterpret_cast<const unsigned char*>(signature.data());
  const Signature parts(ECDSA_SIG_new());
  Number r(BN_bin2bn(from, half, nullptr)), s(BN_bin2bn(from + half, half, nullptr));
  if (!parts || !r || !s || ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) return false;
  static_cast<void>(r.release());  // the signature's now
  static_cast<void>(s.release());
  unsigned char* raw = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &raw);
  if (size <= 0) return false;
  const std::string der(reinterpret_cast<char*>(raw), static_cast<std::size_t>(size));
  OPENSSL_free(raw);
  const DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_->pointer.get()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                          reinterpret_cast<const unsigned char*>(data.data()), data.size()) == 1;
}

}  // namespace loggia::crypto
