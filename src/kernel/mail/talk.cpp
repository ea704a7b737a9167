#include "mail/talk.hpp"
#include <fmt/format.h>
#include <algorithm>
#include <charconv>

namespace loggia::mail {
namespace {

constexpr std::size_t reply_max = 200, name_min = 3;
using Fate = Delivery::How;

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

void cut_out(std::string& reply, std::string_view part) {
  constexpr std::string_view instead = "...";
  const auto wanted = folded(part);
  for (std::size_t at = 0; (at = folded(reply).find(wanted, at)) != std::string::npos; at += instead.size()) reply.replace(at, part.size(), instead);
}

/// A reply for people: printable, short, without the address, which a server likes to repeat and nobody but its owner is to read; nor what is
/// before its @, where that is long enough not to be in every other word. Cut out as it came: an address may hold what is not printable.
std::string shown(std::string reply, std::string_view recipient) {
  const auto name = recipient.substr(0, recipient.find('@'));
  if (!recipient.empty()) cut_out(reply, recipient);
  if (name.size() >= name_min) cut_out(reply, name);
  std::replace_if(reply.begin(), reply.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  if (reply.size() > reply_max) reply.resize(reply_max);
  while (reply.ends_with(' ')) reply.pop_back();
  return reply;
}

Delivery made(Fate fate, std::string why) {
  Delivery out;
  out.how = fate;
  out.why = std::move(why);
  return out;
}

}  // namespace

void Talk::said(std::string_view line) {
  const auto verb = line.substr(0, line.find_first_of(" \r\n"));
  const auto was = stage_;
  if (verb == "EHLO" || verb == "HELO") stage_ = Stage::hello;
  else if (verb == "STARTTLS") stage_ = Stage::tls;
  else if (verb == "AUTH") stage_ = Stage::login;
  else if (verb == "MAIL") stage_ = Stage::sender;
  else if (verb == "RCPT") stage_ = Stage::recipient;
  else if (verb == "DATA") stage_ = Stage::content;
  else if (verb == "QUIT") over_ = true;
  if (stage_ != was) {
    code_ = 0;
    reply_.clear();
  }
}

void Talk::heard(std::string_view line) {
  if (over_) return;  // what was decided before the farewell stays
  int code = 0;
  const auto [end, problem] = std::from_chars(line.data(), line.data() + std::min<std::size_t>(line.size(), 3), code);
  if (problem != std::errc() || end != line.data() + 3) return;
  code_ = code;
  reply_ = line;
}

Delivery Talk::judge(End end, const SmtpServer& server, std::string_view recipient) const {
  const auto place = fmt::format("{}:{}", server.host, server.port);
  const bool final = code_ >= 500 && code_ < 600, not_now = code_ >= 400 && code_ < 500;
  switch (end) {
    case End::done:
      return made(Fate::taken, std::string());
    case End::no_host:
      return made(Fate::away, fmt::format("the name {} leads nowhere; is it right in smtp.url, and does this host's DNS work?", server.host));
    case End::no_connection:
      return made(Fate::away, fmt::format("{} takes no connection; does the mail server run, and is smtp.url right?", place));
    case End::no_trust:
      return made(Fate::away,
                  fmt::format("the certificate of {} is not trusted for the name {}; install its authority (update-ca-certificates), or name "
                              "the host in smtp.url as its certificate does",
                              place, server.host));
    case End::no_tls:
      return made(Fate::away, fmt::format("{} takes no STARTTLS, and without it nothing is sent that was to be kept secret; use smtps:// or the port "
                                          "for submission in smtp.url",
                                          place));
    case End::login_refused:
      return made(Fate::away, fmt::format("{} refuses the user or the password of smtp.url; correct it and start again", place));
    case End::stopped:
      return made(Fate::later, "this server is stopping");
    case End::too_long:
    case End::broken:
      break;
  }
  if (downgraded()) return judge(End::no_tls, server, recipient);
  const auto said = shown(reply_, recipient);
  // 421 is the server's farewell, whatever it was asked (RFC 5321, 3.8).
  if (code_ != 421 && (stage_ == Stage::recipient || stage_ == Stage::content)) {
    if (final) return made(Fate::refused, said);
    if (not_now) return made(Fate::later, said);
  }
  if (stage_ == Stage::login && final) return judge(End::login_refused, server, recipient);
  if (stage_ == Stage::sender && code_ == 530)
    return made(Fate::away, fmt::format("{} wants a login or TLS that smtp.url does not have: {}", place, said));
  if (stage_ == Stage::sender && final) return made(Fate::away, fmt::format("{} refuses the sender of smtp.from: {}", place, said));
  if (final || not_now) return made(Fate::away, fmt::format("{} says: {}", place, said));
  if (end == End::too_long) return made(Fate::away, fmt::format("{} does not answer in time", place));
  return made(Fate::away, fmt::format("the connection to {} broke", place));
}

}  // namespace loggia::mail
