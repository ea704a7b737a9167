#include "settings.hpp"
#include <fstream>
#include "client_address.hpp"
#include "origin.hpp"

namespace loggia::gateway {
namespace {

class Mistakes {
 public:
  void add(std::string_view key, std::string detail) {
    FieldError mistake;
    mistake.pointer = key;
    mistake.detail = std::move(detail);
    found_.push_back(std::move(mistake));
  }
  std::vector<FieldError> take() { return std::move(found_); }

 private:
  std::vector<FieldError> found_;
};

void check_certificate(const Config& config, Mistakes& found) {
  const auto certificate = config.text("http.tls.certificate"), key = config.text("http.tls.private_key");
  if (certificate.empty() != key.empty())
    found.add(certificate.empty() ? "http.tls.certificate" : "http.tls.private_key",
              "TLS takes both a certificate and a private key: name this one too, or neither");
  for (const auto& [name, file] : {std::pair("http.tls.certificate", certificate), std::pair("http.tls.private_key", key)})
    if (!file.empty() && !std::ifstream(file)) found.add(name, "the file " + file + " cannot be read; does it exist, and may this user read it?");
}

}  // namespace

std::vector<FieldError> mistakes(const Config& config) {
  Mistakes found;
  const auto url = config.text("http.public_url");
  if (!url.empty() && origin_of(url).empty()) found.add("http.public_url", "\"" + url + "\" is no address; write https://chat.example");
  for (const auto& one : config.list("http.allowed_origins"))
    if (origin_of(one).empty()) found.add("http.allowed_origins", "\"" + one + "\" is no origin; write https://other.example");
  for (const auto& one : config.list("http.trusted_proxies"))
    if (!Networks::parse({one}))
      found.add("http.trusted_proxies", "\"" + one + "\" is no network; write an address such as 10.0.0.1 or a network such as 10.0.0.0/8");
  check_certificate(config, found);
  return found.take();
}

}  // namespace loggia::gateway
