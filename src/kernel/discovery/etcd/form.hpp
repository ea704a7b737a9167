#pragma once
// etcd's v3 API as its JSON gateway has it: keys and values in base64, 64-bit numbers as texts, what is nothing left out. Pure; every thread.
// https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/
#include <set>
#include "loggia/kernel/discovery.hpp"

namespace loggia::discovery::etcd {

/// `PREFIX MODULE/ADDRESS`, PREFIX with a slash at its end.
std::string key_of(std::string_view prefix, const Instance& instance);
std::optional<Instance> instance_of(std::string_view prefix, std::string_view key);

std::string grant(std::chrono::seconds lifetime);
std::string put(std::string_view prefix, const Instance& instance, const std::string& lease);
/// For keepalive and revoke.
std::string about_lease(const std::string& lease);
std::string list_all(std::string_view prefix);
std::string watch_all(std::string_view prefix, std::int64_t from);

struct Lease {
  std::string id;
  std::int64_t lifetime = 0;  // seconds; 0: it is gone
};
/// The answer of grant or keepalive.
Result<Lease> lease_of(std::string_view answer);

struct Listing {
  std::int64_t revision = 0;
  std::set<std::string> keys;
};
Result<Listing> listing_of(std::string_view answer);

/// One line of a watch.
struct Change {
  std::int64_t revision = 0;
  bool ended = false;  // what came before was compacted, or the server gave up: list again
  std::vector<std::string> put, gone;
};
Result<Change> change_of(std::string_view line);

/// What etcd says is wrong; empty: nothing of that kind.
std::string complaint_of(std::string_view answer);

Peers peers_of(std::string_view prefix, const std::set<std::string>& keys);

}  // namespace loggia::discovery::etcd
