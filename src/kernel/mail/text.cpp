#include <algorithm>
#include "loggia/kernel/mail_text.hpp"

namespace loggia {
namespace {

// Mail programs know no style sheets and few colours; these are the client's (web/src/tokens.css).
constexpr std::string_view page_style =
    "margin:0;padding:24px;background:#f6f5f2;color:#1d1f23;font:16px/1.5 Inter,Segoe UI,Helvetica,Arial,sans-serif";
constexpr std::string_view sheet_style =
    "max-width:560px;margin:0 auto;padding:24px 28px;background:#ffffff;border:1px solid #dddbd5;border-radius:12px";
constexpr std::string_view title_style = "margin:0 0 12px;font-size:20px;line-height:1.3";
constexpr std::string_view button_style =
    "display:inline-block;padding:10px 18px;background:#1f5fbf;color:#ffffff;text-decoration:none;border-radius:8px;font-weight:600";
constexpr std::string_view note_style = "margin:12px 0 0;color:#5b5e66;font-size:13px";

std::string on_one_line(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return out;
}

std::string element(std::string_view name, std::string_view style, std::string_view content) {
  std::string out = "<";
  out += name;
  if (!style.empty()) ((out += " style=\"") += style) += '"';
  (((out += '>') += content) += "</") += name;
  return out += ">\n";
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

MailText::MailText(std::string_view title) : title_{on_one_line(title)} {
  text_ = title_ + "\n\n";
  html_ = element("h1", title_style, html_escaped(title_));
}

void MailText::close_list() {
  if (!in_list_) return;
  in_list_ = false;
  text_ += '\n';
  html_ += "</ul>\n";
}

MailText& MailText::paragraph(std::string_view text) {
  close_list();
  const auto line = on_one_line(text);
  text_ += line + "\n\n";
  html_ += element("p", "margin:0 0 12px", html_escaped(line));
  return *this;
}

MailText& MailText::item(std::string_view text) {
  if (!in_list_) html_ += "<ul style=\"margin:0 0 12px;padding-left:20px\">\n";
  in_list_ = true;
  const auto line = on_one_line(text);
  text_ += "* " + line + '\n';
  html_ += element("li", "", html_escaped(line));
  return *this;
}

MailText& MailText::link(std::string_view label, std::string_view url) {
  close_list();
  const auto target = on_one_line(url), name = on_one_line(label);
  text_ += name + ":\n" + target + "\n\n";
  html_ += "<p style=\"margin:18px 0\"><a style=\"" + std::string(button_style) + "\" href=\"" + html_escaped(target) + "\">" + html_escaped(name) +
           "</a></p>\n" + element("p", note_style, "Or open " + html_escaped(target));
  return *this;
}

MailText& MailText::note(std::string_view text) {
  close_list();
  const auto line = on_one_line(text);
  text_ += line + "\n\n";
  html_ += element("p", note_style, html_escaped(line));
  return *this;
}

std::string MailText::text() const {
  auto out = text_;
  while (out.ends_with('\n')) out.pop_back();
  return out + '\n';
}

std::string MailText::html() const {
  const std::string list_end = in_list_ ? "</ul>\n" : "";
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>" +
         html_escaped(title_) + "</title></head>\n<body style=\"" + std::string(page_style) + "\">\n<div style=\"" + std::string(sheet_style) +
         "\">\n" + html_ + list_end + "</div>\n</body></html>\n";
}

}  // namespace loggia
