// What people and mail servers send into mail: addresses, names that end in headers and in HTML, a server's replies; and smtp.url with smtp.from.
#include "loggia/kernel/mail.hpp"
#include <algorithm>
#include "fuzz/target.hpp"
#include "loggia/kernel/mail_text.hpp"
#include "mail/message.hpp"
#include "mail/talk.hpp"

namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// Lines end at a fold alone, and none is longer than an encoded word may be.
bool folded_well(std::string_view header) {
  while (!header.empty()) {
    const auto end = std::min(header.find("\r\n "), header.size());
    if (has_control(header.substr(0, end)) || end > 75) return false;
    header.remove_prefix(std::min(end + 3, header.size()));
  }
  return true;
}

}  // namespace

LOGGIA_FUZZ(mail) {
  using namespace loggia;
  using namespace loggia::fuzz;
  const auto way = choice(input, 4);
  if (way == 0) {
    if (is_mail_address(input)) {
      require(!has_control(input) && input.find_first_of(" <>,;\"\\()[]:") == input.npos, "an address holds nothing that ends it");
      require(std::count(input.begin(), input.end(), '@') == 1 && input.size() <= 254, "an address is one address");
    }
  } else if (way == 1) {
    require(folded_well(mail::header_text(input)), "a header's text is one header");
    MailText text(input);
    text.item(input).link(input, input);
    auto html = text.html();
    require(html_escaped(input).find_first_of("<>\"'") == std::string::npos, "escaped text holds no markup");
    const auto title = html.find("<title>") + 7;
    require(html.find('<', title) == html.find("</title>"), "a title is text");
  } else if (way == 2) {
    SmtpServer server;
    server.host = "mail.example.org";
    server.sender = "chat@example.org";
    mail::Talk talk;
    while (!input.empty()) {
      const auto line = part(input, '\n');
      if (line.starts_with('>')) talk.said(line.substr(1));
      else talk.heard(line);
    }
    const auto judged = talk.judge(mail::End::broken, server, "ada@example.org");
    require(judged.how != Delivery::How::taken, "a talk that broke took nothing");
    require(!judged.why.empty() && !has_control(judged.why) && judged.why.size() < 600, "what is shown is a line");
    require(judged.why.find("ada@example.org") == std::string::npos, "an address is not shown");
  } else {
    const std::string url(part(input, '\n')), from(input);
    const auto server = smtp_server(url, from);
    if (server) {
      require(server->port >= 1 && server->port <= 65535 && !server->host.empty(), "a server is a place");
      require(server->user.empty() == server->password.empty() && !has_control(server->user + server->password), "a login is whole, and one line");
      require(is_mail_address(server->sender) && !has_control(server->sender_name), "a sender is one");
    } else {
      require(server.error().fields.size() == 1, "what is wrong has a key");
    }
    // A mark, since whatever an input holds may also be words of ours.
    const std::string mark = "~canary~";
    for (const auto& marked : {smtp_server(url + mark, from), smtp_server(mark + url, from), smtp_server(url, from + mark)})
      require(marked || marked.error().fields[0].detail.find(mark) == std::string::npos, "what was written is not repeated");
  }
}
