#pragma once
// DIR/control.sock (mode 0600): the shell beside a running server. One JSON line asks, one answers:
// {"command": "user.add", "arguments": ["ada"]} and {"ok": TEXT} or {"error": {"code", "detail"}}.
#include <filesystem>
#include <memory>
#include "loggia/kernel/module.hpp"

namespace loggia {

class ControlSocket {
 public:
  virtual ~ControlSocket() = default;
  /// Ends all conversations. Not from a shard.
  virtual void stop() = 0;
};
/// Serves kernel.commands on shard 0.
Result<std::unique_ptr<ControlSocket>> serve_control(Kernel& kernel, const std::filesystem::path& directory);

}  // namespace loggia
