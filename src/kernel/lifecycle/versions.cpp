#include <fmt/core.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <boost/version.hpp>
#include "loggia/kernel/bus.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/process.hpp"
#include "loggia/kernel/storage.hpp"

namespace loggia {

std::vector<std::pair<std::string, std::string>> library_versions() {
  const auto three = [](int major, int minor, int patch) { return fmt::format("{}.{}.{}", major, minor, patch); };
  std::vector<std::pair<std::string, std::string>> out{
      {"Boost", three(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
      {"SQLite", sqlite3_libversion()},
      {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
      {"nlohmann/json", three(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
      {"fmt", three(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
  };
  if (auto libpq = postgres_library(); !libpq.empty()) out.emplace_back("libpq", std::move(libpq));
  if (auto rdkafka = kafka_library(); !rdkafka.empty()) out.emplace_back("librdkafka", std::move(rdkafka));
  return out;
}

}  // namespace loggia
