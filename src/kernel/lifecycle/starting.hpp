#pragma once
// A stop that is asked for before there is anything to stop.
#include <thread>

namespace loggia {

/// A process that still waits for what it needs has nothing to drain: asked to stop (SIGTERM, SIGINT, which every thread blocks) it ends at once.
/// What it was about to write is undone when it is opened again, as after a crash.
class EndsWhileStarting {
 public:
  /// A command has not done what it was told to, and says so by its status, as a shell does.
  explicit EndsWhileStarting(bool command);
  EndsWhileStarting(const EndsWhileStarting&) = delete;
  ~EndsWhileStarting();
  /// From here on somebody else takes what comes, also what came a moment ago: it is still pending.
  void over();

 private:
  void wait() const;
  const bool command_;
  const int asked_, over_;
  std::thread thread_;
};

}  // namespace loggia
