#include <algorithm>
#include <atomic>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mail.hpp"

namespace loggia {
namespace {

namespace asio = boost::asio;
using Fate = Delivery::How;

constexpr milliseconds look_at_least{30000};  // in case a wake-up was lost with the process that took the mail
constexpr milliseconds pause_max{30000};

std::string_view word_of(Fate fate) {
  switch (fate) {
    case Fate::taken:
      return "taken";
    case Fate::refused:
      return "refused";
    case Fate::later:
      return "later";
    case Fate::away:
      return "away";
  }
  return "away";
}

}  // namespace

milliseconds mail_pause(int tries) { return tries >= 6 ? pause_max : std::min(milliseconds(1000 << std::max(tries - 1, 0)), pause_max); }

struct MailRunner::State {
  explicit State(MailRunnerOptions all) : options{std::move(all)} {}
  const MailRunnerOptions options;
  std::atomic<bool> woken{false}, draining{false}, running{false};
  // On the runner's shard alone:
  asio::steady_timer* sleeping = nullptr;
  int failures = 0;  // of the server, one after the other
  Time quiet_until{};
  milliseconds next{0};  // how long nothing will be due

  Time now() const { return options.clock->now(); }
  void count(std::string_view result) const {
    Labels labels;
    labels.emplace_back("module", options.name);
    labels.emplace_back("result", result);
    options.metrics->counter("loggia_mails_total", "Tries to send a mail, by what came of them.", std::move(labels)).add();
  }
  void show(std::int64_t waiting) const {
    Labels labels;
    labels.emplace_back("module", options.name);
    options.metrics->gauge("loggia_mails_waiting", "Mails that wait to be sent.", std::move(labels)).set(waiting);
  }

  Settled settled(const QueuedMail& mail, const Delivery& delivery) {
    Settled out;
    out.why = delivery.why;
    const auto at = now();
    if (delivery.how == Fate::away) {
      quiet_until = at + mail_pause(++failures);
      out.again = quiet_until;
    } else {
      failures = 0;
      out.again = at + mail_pause(mail.tries + 1);
    }
    if (delivery.how == Fate::refused) {
      out.how = Settled::How::failed;
    } else if (delivery.how != Fate::taken) {
      out.how = Settled::How::again;
      if (out.again >= mail.expires) {
        out.how = Settled::How::failed;
        out.why = "was not to be delivered in time; the last answer: " + delivery.why;
        count("given_up");
      }
    }
    return out;
  }

  static Async<bool> deliver(std::shared_ptr<State> state, Context context, QueuedMail mail, Time until) {
    auto& queue = *state->options.queue;
    auto composed = co_await queue.compose(context, mail);
    Delivery delivery;
    if (!composed) {
      delivery.how = Fate::later;
      delivery.why = composed.error().detail;
      log::warn(context, "mail.not_composed", Field("module", state->options.name), Field("why", delivery.why));
    } else if (!*composed) {
      state->count("dropped");
      co_return true;
    } else if (state->now() > until - mail_turn_within - mail_try_within) {
      delivery.how = Fate::later;
      delivery.why = "it took too long to put it together";
      log::warn(context, "mail.not_composed", Field("module", state->options.name), Field("why", delivery.why));
    } else {
      delivery = co_await state->options.mailer->send(std::move(**composed));
      state->count(word_of(delivery.how));
    }
    if (delivery.how == Fate::refused) log::warn(context, "mail.refused", Field("module", state->options.name), Field("why", delivery.why));
    auto outcome = state->settled(mail, delivery);
    auto written = co_await queue.settle(context, mail, std::move(outcome));
    co_return written;
  }

  static Async<bool> look(std::shared_ptr<State> state, Context context) {
    auto& queue = *state->options.queue;
    while (!state->draining && state->now() >= state->quiet_until) {
      const auto now = state->now();
      const auto until = now + mail_lent_for;
      auto taken = co_await queue.take(context, now, until);
      if (!taken) co_return taken.error();
      if (!*taken) break;
      auto done = co_await deliver(state, context, **taken, until);
      if (!done) co_return done.error();
    }
    auto waiting = co_await queue.waiting(context);
    if (!waiting) co_return waiting.error();
    state->show(waiting->count);
    const auto due = std::max(waiting->due.value_or(state->now() + look_at_least), state->quiet_until);
    state->next = std::clamp(std::chrono::duration_cast<milliseconds>(due - state->now()), milliseconds(0), look_at_least);
    co_return true;
  }

  static asio::awaitable<void> rest(std::shared_ptr<State> state, milliseconds most) {
    asio::steady_timer timer(co_await asio::this_coro::executor, most);
    if (state->woken || state->draining) co_return;
    state->sleeping = &timer;
    boost::system::error_code ended;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    state->sleeping = nullptr;
  }

  static asio::awaitable<void> run(std::shared_ptr<State> state) {
    struct Running {
      explicit Running(State& of) : state{of} { state.running = true; }
      ~Running() { state.running = false; }
      State& state;
    };
    const Running running(*state);
    if (state->options.alone) {
      const Context context(new_trace(*state->options.random));
      auto free = co_await state->options.queue->release(context);
      if (!free) log::warn(context, "mail.not_released", Field("module", state->options.name), Field("why", free.error().detail));
    }
    while (!state->draining) {
      state->woken = false;
      const Context context(new_trace(*state->options.random));
      auto done = co_await look(state, context);
      if (!done) {
        log::warn(context, "mail.queue_failed", Field("module", state->options.name), Field("why", done.error().detail));
        state->next = milliseconds(1000);
      }
      co_await rest(state, state->next);
    }
  }
};

MailRunner::MailRunner(MailRunnerOptions options) : state_{std::make_shared<State>(std::move(options))} {}

void MailRunner::start() {
  state_->options.mailer->when_started([this] {
    if (state_->draining) return;
    state_->running = true;
    tasks_.spawn(state_->options.shards->executor(0), state_->options.name + ".mail", State::run(state_));
  });
}

void MailRunner::wake() { waker()(); }

std::function<void()> MailRunner::waker() const {
  return [weak = std::weak_ptr<State>(state_)] {
    const auto state = weak.lock();
    if (!state) return;
    state->woken = true;
    state->options.shards->post(0, [weak] {
      const auto there = weak.lock();
      if (there && there->sleeping) there->sleeping->cancel();
    });
  };
}

void MailRunner::drain() {
  state_->draining = true;
  wake();
}

bool MailRunner::drained() const { return !state_->running; }

void MailRunner::stop() {
  state_->draining = true;
  tasks_.cancel();
  if (!tasks_.wait(milliseconds(3000))) log::warn("mail.task_left", Field("module", state_->options.name));
}

Async<bool> MailRunner::turn(Context context) { return State::look(state_, std::move(context)); }

}  // namespace loggia
