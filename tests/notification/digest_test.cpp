#include "digest.hpp"
#include "fixture.hpp"

using namespace loggia;
using namespace loggia::notification;
using testing::id;

namespace {

DigestLine line(int room, std::string name, std::string kind, std::string author) {
  DigestLine out;
  out.room = id<RoomId>(room);
  out.room_name = std::move(name);
  out.kind = std::move(kind);
  out.author = std::move(author);
  return out;
}
std::string subject(const std::vector<DigestLine>& lines) { return digest(lines, "https://x").subject; }

}  // namespace

TEST_CASE("a mail's subject says who wrote where, and how many") {
  CHECK(subject({line(1, "", "direct", "Ada")}) == "Ada wrote to you");
  CHECK(subject({line(1, "", "direct", "Ada"), line(1, "", "direct", "Ada")}) == "Ada wrote to you 2 times");
  CHECK(subject({line(1, "Events", "mention", "Ada")}) == "Ada mentioned you in Events");
  CHECK(subject({line(1, "Events", "message", "Ada")}) == "Ada wrote in Events");
  CHECK(subject({line(1, "Events", "message", "Ada"), line(1, "Events", "mention", "Bob")}) ==
        "2 messages by Ada and Bob in Events, 1 of them to you");
  CHECK(subject({line(1, "Events", "mention", "Ada"), line(1, "Events", "mention", "Ada")}) == "2 messages by Ada in Events, all to you");
  std::vector<DigestLine> many;
  for (const char* name : {"Ada", "Bob", "Cid", "Dan", "Eve"}) many.push_back(line(1, "Events", "message", name));
  CHECK(subject(many) == "5 messages by Ada, Bob and 3 others in Events");
  CHECK(subject({line(1, "Events", "message", "Ada"), line(2, "", "direct", "Bob"), line(1, "Events", "message", "Ada")}) ==
        "3 messages for you in 2 rooms");
}

TEST_CASE("a mail of one room leads there, a mail of many names each and leads home") {
  const auto one = digest({line(1, "Events", "message", "Ada")}, "https://x");
  CHECK(one.text.find("https://x/#/room/" + id<RoomId>(1).text()) != std::string::npos);
  CHECK(one.settings_url == "https://x/#/settings");
  CHECK(one.text.find("https://x/#/settings") != std::string::npos);
  std::vector<DigestLine> many;
  for (int room = 1; room <= 25; ++room) many.push_back(line(room, "Room " + std::to_string(room), "message", "Ada"));
  const auto all = digest(many, "https://x");
  CHECK(all.text.find("* Ada wrote in Room 20\n* and in 5 more rooms\n") != std::string::npos);
  CHECK(all.text.find("https://x/#/\n") != std::string::npos);
}

TEST_CASE("names cannot write HTML or lines of their own") {
  const auto mail = digest({line(1, "<b>\r\nBcc: x</b>", "message", "<img src=x>")}, "https://x");
  CHECK(mail.html.find("<img") == std::string::npos);
  CHECK(mail.html.find("<b>") == std::string::npos);
  CHECK(mail.text.find("\nBcc") == std::string::npos);
}
