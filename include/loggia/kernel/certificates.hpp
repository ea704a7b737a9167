#pragma once
// Certificates for development: an authority of one's own in a directory, and one certificate for each process. Blocking; at start and in
// commands only. Production brings its own: the files are plain PEM and the rules are those of loggia/kernel/mutual_tls.hpp.
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>
#include "loggia/kernel/result.hpp"

namespace loggia {

/// NAME.pem and NAME.key: a process that holds these modules.
struct DevelopmentCertificate {
  std::string name;
  std::vector<std::string> modules;
};
/// From now; other than these in tests alone.
struct CertificateTimes {
  std::chrono::seconds from{-3600}, until{std::chrono::hours(24 * 397 - 2)};
};

/// Makes what is missing or expires within 30 days: ca.pem and ca.key (10 years), and a pair for each of `wanted`; keys have mode 0600. Answers a
/// line for each file that was made. What somebody else made is left alone and is an error, which says what to do.
Result<std::vector<std::string>> make_development_certificates(const std::filesystem::path& directory,
                                                               const std::vector<DevelopmentCertificate>& wanted,
                                                               CertificateTimes times = CertificateTimes());

}  // namespace loggia
