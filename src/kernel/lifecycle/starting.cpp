#include "lifecycle/starting.hpp"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <cstdlib>
#include "loggia/kernel/log.hpp"

namespace loggia {
namespace {

int stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int one : {SIGTERM, SIGINT}) sigaddset(&set, one);
  return ::signalfd(-1, &set, SFD_CLOEXEC);
}

}  // namespace

EndsWhileStarting::EndsWhileStarting(bool command) : command_{command}, asked_{stop_signals()}, over_{::eventfd(0, EFD_CLOEXEC)} {
  thread_ = std::thread([this] { wait(); });
  pthread_setname_np(thread_.native_handle(), "starting");
}

EndsWhileStarting::~EndsWhileStarting() {
  over();
  for (const int file : {asked_, over_}) ::close(file);
}

void EndsWhileStarting::over() {
  if (!thread_.joinable()) return;
  ::eventfd_write(over_, 1);
  thread_.join();
}

void EndsWhileStarting::wait() const {
  pollfd files[] = {{over_, POLLIN, 0}, {asked_, POLLIN, 0}};
  while (::poll(files, 2, -1) < 0) {
  }
  if (files[0].revents != 0) return;
  signalfd_siginfo which{};
  if (::read(asked_, &which, sizeof which) != sizeof which) return;
  const auto number = static_cast<int>(which.ssi_signo);
  log::info("process.stopped_while_starting", Field("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
  std::_Exit(command_ ? 128 + number : 0);
}

}  // namespace loggia
