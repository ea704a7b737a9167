#pragma once
// What was said between us and the server, and what it means. Pure: libcurl tells each line, the rules are here.
#include <string>
#include <string_view>
#include "loggia/kernel/mail.hpp"

namespace loggia::mail {

/// How libcurl ended, as far as it matters.
enum class End { done, no_host, no_connection, no_trust, no_tls, login_refused, too_long, stopped, broken };

class Talk {
 public:
  /// A line of ours, or of the server. Both without secrets in what is kept: of ours the verb, of the server's the last reply.
  void said(std::string_view line);
  void heard(std::string_view line);
  /// The server offered STARTTLS, was asked for it, and said no: to go on would be to go on in the clear.
  bool downgraded() const { return stage_ == Stage::tls && code_ != 0 && code_ != 220; }
  Delivery judge(End end, const SmtpServer& server, std::string_view recipient) const;

 private:
  enum class Stage { greeting, hello, tls, login, sender, recipient, content };
  Stage stage_ = Stage::greeting;
  bool over_ = false;  // QUIT was said
  int code_ = 0;       // of the last reply since the stage began
  std::string reply_;  // its text
};

}  // namespace loggia::mail
