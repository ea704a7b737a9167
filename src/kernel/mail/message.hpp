#pragma once
// A mail's headers as text (RFC 5322, RFC 2047). Pure.
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/mail.hpp"

namespace loggia::mail {

/// Text for a header's value: control characters, line ends among them, are spaces; what is not plain ASCII, or long, is in encoded words of at
/// most 75 characters, folded.
std::string header_text(std::string_view text);
/// `Mon, 30 Nov 2026 08:20:00 +0000`
std::string header_date(Time time);
/// All but Content-Type, a line each, without its end.
std::vector<std::string> headers_of(const Mail& mail, const SmtpServer& server);

}  // namespace loggia::mail
