#include "digest.hpp"
#include <algorithm>
#include "loggia/kernel/mail_text.hpp"

namespace loggia::notification {
namespace {

constexpr std::size_t named_max = 3, rooms_max = 20;

struct Group {
  RoomId room;
  std::string name;
  std::vector<std::string> authors;  // each once
  std::size_t messages = 0, mentions = 0;
};

std::vector<Group> by_room(const std::vector<DigestLine>& lines) {
  std::vector<Group> out;
  for (const auto& line : lines) {
    auto found = std::find_if(out.begin(), out.end(), [&](const Group& one) { return one.room == line.room; });
    if (found == out.end()) {
      found = out.emplace(out.end());
      found->room = line.room;
      found->name = line.room_name;
    }
    ++found->messages;
    if (line.kind == "mention") ++found->mentions;
    if (std::find(found->authors.begin(), found->authors.end(), line.author) == found->authors.end()) found->authors.push_back(line.author);
  }
  return out;
}

/// `Ada`, `Ada and Bob`, `Ada, Bob and 3 others`
std::string names(const std::vector<std::string>& all) {
  const auto shown = all.size() > named_max ? named_max - 1 : all.size();
  std::string out = all[0];
  for (std::size_t at = 1; at < shown; ++at) out += (at + 1 == all.size() ? " and " : ", ") + all[at];
  if (shown < all.size()) out += " and " + std::to_string(all.size() - shown) + " others";
  return out;
}

std::string sentence(const Group& group) {
  const auto count = std::to_string(group.messages);
  if (group.name.empty())
    return group.messages == 1 ? names(group.authors) + " wrote to you" : names(group.authors) + " wrote to you " + count + " times";
  if (group.messages == 1) return names(group.authors) + (group.mentions ? " mentioned you in " : " wrote in ") + group.name;
  const auto meant = group.mentions == 0                ? std::string()
                     : group.mentions == group.messages ? std::string(", all to you")
                                                        : ", " + std::to_string(group.mentions) + " of them to you";
  return count + " messages by " + names(group.authors) + " in " + group.name + meant;
}

}  // namespace

Mail digest(const std::vector<DigestLine>& lines, const std::string& base) {
  const auto groups = by_room(lines);
  const bool one = groups.size() == 1;
  Mail out;
  out.subject = one ? sentence(groups[0]) : std::to_string(lines.size()) + " messages for you in " + std::to_string(groups.size()) + " rooms";
  out.settings_url = base + "/#/settings";
  MailText text(out.subject);
  if (!one)
    for (std::size_t at = 0; at < std::min(groups.size(), rooms_max); ++at) text.item(sentence(groups[at]));
  if (groups.size() > rooms_max) text.item("and in " + std::to_string(groups.size() - rooms_max) + " more rooms");
  text.link(one ? "Read it in Loggia" : "Open Loggia", one ? base + "/#/room/" + groups[0].room.text() : base + "/#/");
  text.note("You were not there and had not read it, and your settings want a mail then. Change that at " + out.settings_url);
  out.text = text.text();
  out.html = text.html();
  return out;
}

}  // namespace loggia::notification
