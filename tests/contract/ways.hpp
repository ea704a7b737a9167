#pragma once
// The three ways to a module's ports: the services themselves; their serialised form in this process; another process over HTTP with mTLS,
// where each caller shows its module's certificate and the callers' table is asked.
#include <memory>
#include <string>
#include <vector>
#include "loggia/kernel/module.hpp"
#include "support/fakes.hpp"

namespace loggia::contract {

class Way {
 public:
  virtual ~Way() = default;
  virtual const Ports& ports() const = 0;
  virtual test::InlineShards& shards() = 0;
  /// Before each call; the ways through a router do it there.
  virtual void step() {}
};
std::unique_ptr<Way> here(const std::string& module);
std::unique_ptr<Way> serialised(const std::string& module);
/// A process of its own. A call of somebody whom no module names comes from the gateway, as in the product.
class Remote : public Way {
 public:
  /// With the certificate of `caller`; empty: without TLS.
  virtual Result<Answer> ask_as(const std::string& caller, const std::string& route) = 0;
};
std::unique_ptr<Remote> remote(const std::string& module);
std::unique_ptr<Way> over_mtls(const std::string& module);

/// The routes that the module mounts.
std::vector<std::string> mounted_routes(const std::string& module);

}  // namespace loggia::contract
