#pragma once
// Certificates as `loggia certs` makes them, in a directory of their own that goes with them.
#include <unistd.h>
#include <filesystem>
#include <stdexcept>
#include <string>
#include "loggia/kernel/certificates.hpp"
#include "loggia/kernel/mutual_tls.hpp"

namespace loggia::test {

namespace fs = std::filesystem;

class Certificates {
 public:
  Certificates() {
    std::string name = (fs::temp_directory_path() / "loggia-tls-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory");
    path = name;
  }
  Certificates(const Certificates&) = delete;
  ~Certificates() { fs::remove_all(path); }
  /// Of this authority, in a directory beside it.
  MutualTlsFiles of(const std::string& name, std::vector<std::string> modules, CertificateTimes times = CertificateTimes()) {
    const auto made = make_development_certificates(path, {{name, std::move(modules)}}, times);
    if (!made) throw std::runtime_error(made.error().detail);
    return files(name);
  }
  MutualTlsFiles of(const std::string& module) { return of(module, {module}); }
  MutualTlsFiles files(const std::string& name) const {
    return {(path / (name + ".pem")).string(), (path / (name + ".key")).string(), (path / "ca.pem").string()};
  }

  fs::path path;
};

}  // namespace loggia::test
