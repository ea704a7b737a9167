#pragma once
// DIR/control.sock, or control.MODULE.sock of a process with a part of the modules (mode 0600): the shell beside a running server. One JSON line
// asks, one answers: {"command": "user.add", "arguments": ["ada"]} and {"ok": TEXT} or {"error": {"code", "detail"}}, with "unknown": true where this
// process has no such command.
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
/// Serves kernel.commands on shard 0. `path` is the caller's own: what is there is removed.
Result<std::unique_ptr<ControlSocket>> serve_control(Kernel& kernel, const std::filesystem::path& path);

}  // namespace loggia
