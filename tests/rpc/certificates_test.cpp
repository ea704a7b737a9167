#include <doctest/doctest.h>
#include <fstream>
#include <sstream>
#include "rpc/tls_client.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::rpc::testing;

namespace {

std::string content(const fs::path& path) {
  std::stringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}
bool only_ours(const fs::path& path) { return (fs::status(path).permissions() & fs::perms(0777)) == fs::perms(0600); }

}  // namespace

TEST_CASE("an authority and a pair for each module are made once, and keys are nobody else's to read") {
  Certificates place;
  const std::vector<DevelopmentCertificate> wanted{{"chat", {"chat"}}, {"rest", {"auth", "user"}}};
  const auto made = make_development_certificates(place.path, wanted);
  REQUIRE(made);
  CHECK(made->size() == 6);
  for (const char* name : {"ca", "chat", "rest"}) {
    CHECK(only_ours(place.path / (std::string(name) + ".key")));
    CHECK(made->size() == 6);
  }
  CHECK(MutualTls::load(place.files("chat")).value()->names() == std::vector<std::string>{"chat"});
  CHECK(MutualTls::load(place.files("rest")).value()->names() == std::vector<std::string>{"auth", "user"});
  CHECK(MutualTls::load(place.files("chat")).value()->seconds_left() > 390 * 86400L);
  const auto before = content(place.path / "chat.pem");
  CHECK(make_development_certificates(place.path, wanted).value().empty());
  CHECK(content(place.path / "chat.pem") == before);
}

TEST_CASE("what is missing, expires soon or is for other modules is made again, by the same authority") {
  Certificates place;
  CertificateTimes soon;
  soon.until = std::chrono::hours(24 * 29);
  const auto chat = place.of("chat", {"chat"}, soon);
  place.of("auth");
  const auto ca = content(chat.ca), auth = content(place.path / "auth.pem"), before = content(chat.certificate);
  REQUIRE(MutualTls::load(chat));
  const auto made = make_development_certificates(place.path, {{"chat", {"chat"}}, {"auth", {"auth"}}});
  REQUIRE(made);
  CHECK(made->size() == 2);
  CHECK(content(chat.certificate) != before);
  CHECK(content(place.path / "auth.pem") == auth);
  fs::remove(place.path / "auth.key");
  CHECK(make_development_certificates(place.path, {{"auth", {"auth"}}}).value().size() == 2);
  CHECK(make_development_certificates(place.path, {{"auth", {"auth", "user"}}}).value().size() == 2);
  CHECK(MutualTls::load(place.files("auth")).value()->names() == std::vector<std::string>{"auth", "user"});
  CHECK(content(chat.ca) == ca);
  CHECK(MutualTls::load(chat));
}

TEST_CASE("a new authority makes all others new") {
  Certificates place;
  const auto chat = place.of("chat");
  fs::remove(place.path / "ca.pem");
  CHECK(place.of("chat").ca == chat.ca);
  CHECK(MutualTls::load(chat));
}

TEST_CASE("what it did not make it leaves alone, and says what to do") {
  Certificates place;
  const auto refused = [&place](const std::string& name, std::vector<std::string> modules) {
    const auto made = make_development_certificates(place.path, {{name, std::move(modules)}});
    REQUIRE_FALSE(made);
    return made.error().detail;
  };
  place.of("chat");
  std::ofstream(place.path / "auth.pem") << "somebody's";
  CHECK(refused("auth", {"auth"}).find("auth.pem was not made by `loggia certs`") != std::string::npos);
  CHECK(content(place.path / "auth.pem") == "somebody's");
  fs::remove(place.path / "ca.key");
  CHECK(refused("user", {"user"}).find("ca.key is missing") != std::string::npos);
  for (const char* name : {"", "ca", "../a", "a b", "a,DNS:b"}) CHECK(refused(name, {"user"}).find("cannot have a certificate") != std::string::npos);
  for (const char* module : {"", "localhost", "a,DNS:b", "A"}) CHECK(refused("a", {module}).find("cannot have a certificate") != std::string::npos);
  CHECK(refused("a", {}).find("cannot have a certificate") != std::string::npos);
}
