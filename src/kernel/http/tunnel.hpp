#pragma once
// A client's connection and one to an instance elsewhere, joined: what one side sends the other is sent, until one of them ends. Idle, it
// holds this object and two registrations in epoll; what one side does not take is held, and until it has taken it no more is read from the
// other. Made by an Upgrade; kept alive by what it waits for; on its shard.
#include <memory>
#include <string>
#include "http/core.hpp"
#include "http/frame_ends.hpp"
#include "http/stream.hpp"

namespace loggia::http {

/// The side that is not the client's: it has answered the handshake with 101.
struct FarEnd {
  Stream stream;
  std::string answer;          // for the client, as it is
  std::string early;           // what came behind it
  std::shared_ptr<void> held;  // let go of once the tunnel has ended
};

class Tunnel final : public Member {
 public:
  /// `early`: what the client sent behind its handshake.
  Tunnel(std::shared_ptr<Core> core, std::size_t shard, Slot slot, Stream client, FarEnd far, std::string early);
  void start(std::string answer);

  void flush() override {}
  void sweep(Moment now) override;
  /// The client is told a second later, so that what it has asked is still answered.
  void drain() override;
  void terminate() override { end(); }

 private:
  struct Way {
    Stream &from, &to;
    std::string held;                 // read and not taken by the other side; holds no memory while there is none
    std::size_t at = 0;               // of it
    Moment deadline = Moment::max();  // for the other side to take some of it
    bool last = false, over = false;  // no more will come; nor go
    bool blocked() const { return deadline != Moment::max(); }
  };
  std::shared_ptr<Tunnel> self() { return std::static_pointer_cast<Tunnel>(shared_from_this()); }
  void wait_read(Way& way);
  void on_readable(Way& way);
  void take(Way& way, std::string_view bytes);
  void send(Way& way, std::string_view bytes);
  void hold(Way& way, std::string_view bytes);
  void source_ended(Way& way);
  void finish(Way& way);
  void take_last_frame(std::string_view bytes);
  void say_going_away();
  bool going();
  void end();

  Stream client_, far_;
  Way up_, down_;
  FrameEnds frames_;
  std::shared_ptr<void> held_;
  Moment drain_at_ = Moment::max(), deadline_ = Moment::max();
  Slot slot_;
  bool going_ = false, said_ = false, ended_ = false;  // the client is to be told that we go; and was
};

}  // namespace loggia::http
