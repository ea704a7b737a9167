#pragma once
// One client connection of the load generator: Loggia's protocol, or that of a floor. Reads are cut into messages and only searched for
// markers, never parsed, so that the generator stays cheaper than what it measures.
#include <cstdint>
#include <string>
#include <string_view>
#include "http.hpp"

namespace bench {

enum class Target { loggia, beast, tcp };

class Connection {
 public:
  Connection(Target target, int file) : target_{target}, file_{file} {}
  ~Connection();
  Connection(const Connection&) = delete;

  /// Blocking: handshake, sign-in, the room; then the socket does not block.
  void open_loggia(const Address& address, const std::string& token);
  void open_floor(const Address& address, const std::string& room);

  /// The same without waiting: read() and flush() go through the handshake and say hello. Its answer is a message.
  void begin_loggia(const Address& address, const std::string& token);

  /// Appends a message for `room` whose text of `size` bytes begins with `marker`; flush() sends.
  void say(const std::string& room, std::string_view marker, std::uint64_t number, std::size_t size);
  void flush();
  bool unsent() const { return !out_.empty(); }
  int file() const { return file_; }
  /// Reads what there is and calls `message(text)` for each; false when the other side is gone.
  template <class F> bool read(F message) {
    for (;;) {
      char piece[65536];
      const auto size = receive(piece, sizeof piece);
      if (size == 0) return true;
      if (size < 0) return false;
      in_.append(piece, static_cast<std::size_t>(size));
      std::string_view text;
      while (next(text)) message(text);
      if (refused_) return false;
      in_.erase(0, taken_);
      taken_ = 0;
    }
  }
  std::string wait_message();

 private:
  long receive(char* into, std::size_t size);
  bool next(std::string_view& text);
  void handshake(const Address& address, const char* path, const char* protocol);
  bool upgraded();
  void send_text(std::string_view text);

  Target target_;
  int file_;
  bool refused_ = false;
  std::string in_, out_;
  std::string hello_;  // to be said once the handshake is answered
  std::size_t taken_ = 0;
};

}  // namespace bench
