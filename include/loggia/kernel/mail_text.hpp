#pragma once
// What a mail says, written once for both kinds of reader: plain text and HTML. What is handed in may be anybody's text: it is escaped, and stays
// within its line. Not shared between threads.
#include <string>
#include <string_view>

namespace loggia {

/// For HTML's text and attribute values: & < > " '
std::string html_escaped(std::string_view text);

class MailText {
 public:
  explicit MailText(std::string_view title);
  MailText& paragraph(std::string_view text);
  /// One of a list.
  MailText& item(std::string_view text);
  /// A button; in plain text its address. `url` is ours.
  MailText& link(std::string_view label, std::string_view url);
  /// Small print.
  MailText& note(std::string_view text);
  std::string text() const;
  std::string html() const;

 private:
  void close_list();
  std::string title_, text_, html_;
  bool in_list_ = false;
};

}  // namespace loggia
