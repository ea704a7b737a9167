#pragma once
// A mailer that keeps what it is given, and answers as a test says.
#include <deque>
#include "loggia/kernel/mail.hpp"

namespace loggia::test {

class FakeMailer final : public Mailer {
 public:
  boost::asio::awaitable<Delivery> send(Mail mail) override {
    ++tries;
    auto answer = always_;
    if (!once_.empty()) {
      answer = once_.front();
      once_.pop_front();
    }
    if (answer.how == Delivery::How::taken) sent.push_back(std::move(mail));
    co_return answer;
  }
  std::string trouble() const override { return std::string(); }

  /// The next one gets this.
  void answer(Delivery::How how, std::string why) { once_.push_back(made(how, std::move(why))); }
  void always(Delivery::How how, std::string why) { always_ = made(how, std::move(why)); }

  std::deque<Mail> sent;  // taken; references stay good
  int tries = 0;

 private:
  static Delivery made(Delivery::How how, std::string why) {
    Delivery out;
    out.how = how;
    out.why = std::move(why);
    return out;
  }
  std::deque<Delivery> once_;
  Delivery always_ = made(Delivery::How::taken, std::string());
};

}  // namespace loggia::test
