#pragma once
// One process of a set: started, heard, buried.
#include <sys/types.h>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include "loggia/kernel/supervisor.hpp"

namespace loggia {

/// How long a process that died waits: 100 ms, twice as long each time up to 5 s, and from the beginning for one that lived for 10 s.
class Backoff {
 public:
  milliseconds after(milliseconds lived);

 private:
  milliseconds next_{100};
};

/// Bytes become lines; one that is too long comes in pieces.
class LineReader {
 public:
  template <class F> void take(std::string_view bytes, F&& line) {
    for (;;) {
      const auto end = bytes.find('\n');
      rest_ += bytes.substr(0, end);
      if (end == bytes.npos && rest_.size() < longest) return;
      finish(line);
      if (end == bytes.npos) return;
      bytes.remove_prefix(end + 1);
    }
  }
  /// The end of a stream ends its last line too.
  template <class F> void finish(F&& line) {
    if (rest_.empty()) return;
    line(rest_);
    rest_.clear();
  }

 private:
  static constexpr std::size_t longest = 64 << 10;
  std::string rest_;
};

/// What the log of a process says, as it stands in the log of all: `chat | …`, or with a field `process` where it is JSON.
std::string line_of_all(const PlannedProcess& process, std::string_view line, std::size_t width, std::string_view colour);

class Child {
 public:
  Child(PlannedProcess plan, std::size_t its_number) : number{its_number}, plan_{std::move(plan)} {}
  Child(const Child&) = delete;
  ~Child() { close_streams(); }

  const PlannedProcess& plan() const { return plan_; }
  /// It ends when this process does. `own_group`: what a terminal sends to this process's group does not reach it.
  Result<bool> start(const std::filesystem::path& program, bool own_group);
  bool alive() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  void signal(int which) const;
  /// The exit code, or minus the signal, once it has ended.
  std::optional<int> ended();

  using OnLine = std::function<void(const std::string&)>;
  int out() const { return out_; }
  int err() const { return err_; }
  void read_out(const OnLine& line) { read(out_, out_lines_, line); }
  void read_err(const OnLine& line) { read(err_, err_lines_, line); }

  const std::size_t number;  // in its set
  bool ready = false, was_ready = false;
  std::string ready_line;
  Backoff backoff;
  Moment started{};
  std::optional<Moment> restart_at, kill_at;

 private:
  void close_streams();
  static void read(int& file, LineReader& lines, const OnLine& line);

  PlannedProcess plan_;
  pid_t pid_ = 0;
  int out_ = -1, err_ = -1;
  LineReader out_lines_, err_lines_;
};

}  // namespace loggia
