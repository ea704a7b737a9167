// `loggia certs DIR`: an authority and a certificate for every module, for development.
#include <algorithm>
#include <iostream>
#include "cli/commands.hpp"
#include "loggia/kernel/certificates.hpp"

namespace loggia::cli {
namespace {

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

/// `--for NAME=a,b`; none: a certificate for each module.
std::vector<DevelopmentCertificate> wanted_of(const Shell& shell) {
  std::vector<DevelopmentCertificate> out;
  for (const auto& text : shell.arguments.rest) {
    const auto at = text.find('=');
    out.push_back({text.substr(0, at), at == text.npos ? std::vector<std::string>{text} : parts_of(text.substr(at + 1))});
  }
  if (out.empty())
    for (const auto& module : shell.modules) out.push_back({module.name, {module.name}});
  return out;
}

}  // namespace

int make_certificates(Shell& shell) {
  const auto wanted = wanted_of(shell);
  for (const auto& one : wanted)
    for (const auto& module : one.modules)
      if (std::none_of(shell.modules.begin(), shell.modules.end(), [&module](const auto& known) { return known.name == module; })) {
        std::cerr << "loggia: --for: there is no module \"" << module << "\"\n";
        return 2;
      }
  const auto made = make_development_certificates(shell.arguments.name, wanted);
  if (!made) {
    std::cerr << "loggia: " << made.error().detail << '\n';
    return made.error().code == Errc::invalid_request ? 2 : 1;
  }
  for (const auto& line : *made) std::cout << line << '\n';
  if (made->empty()) std::cout << "all certificates in " << shell.arguments.name << " are there and good for a while\n";
  return 0;
}

}  // namespace loggia::cli
