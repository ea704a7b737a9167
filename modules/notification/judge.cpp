#include <algorithm>
#include "parts.hpp"

namespace loggia::notification {
namespace {

constexpr std::size_t people_max = 1000;

struct Candidate {
  UserId user;
  Occasion occasion;
  Person person;
};

/// Of whom no time zone is known, UTC is.
std::vector<Candidate> candidates(const Choices& choices, const Message& message, const chat::Recipients& recipients, bool everybody,
                                  int utc_minute) {
  std::vector<Candidate> out;
  for (const auto& recipient : recipients.items) {
    Candidate one;
    one.user = recipient.user_id;
    one.occasion.direct = recipients.kind == "direct";
    one.occasion.mentioned = recipient.mentioned;
    one.occasion.own = recipient.user_id == recipients.author;
    one.person.has_read = recipient.read_seq >= message.seq;
    if (const auto chosen = choices.of(recipient.user_id)) {
      one.person.standard = chosen->level;
      one.person.chosen = true;
      one.person.quiet = chosen->quiet;
      if (chosen->quiet) one.person.minute = utc_minute;
      if (const auto room = chosen->rooms.find(message.room); room != chosen->rooms.end()) one.person.room_level = room->second;
    }
    if (everybody || (!one.occasion.own && wanted(one.occasion, level_for(one.person)))) out.push_back(std::move(one));
  }
  return out;
}

/// Time zones of those who have quiet hours.
Async<bool> add_time_zones(std::shared_ptr<Parts> parts, Context context, Time at, std::vector<Candidate>& all) {
  std::vector<UserId> ids;
  for (const auto& one : all)
    if (one.person.quiet) ids.push_back(one.user);
  const auto directory = ids.empty() ? nullptr : parts->ports.get<user::Directory>();
  for (std::size_t begin = 0; begin < ids.size(); begin += people_max) {
    const auto end = std::min(begin + people_max, ids.size());
    std::vector<UserId> some(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.begin() + static_cast<std::ptrdiff_t>(end));
    auto people = co_await directory->ask<user::GetPeople>(context, std::move(some));
    if (!people) co_return people.error();
    for (const auto& who : people->items) {
      const auto found = std::find_if(all.begin(), all.end(), [&](const Candidate& one) { return one.user == who.id; });
      if (found == all.end()) continue;
      found->person.time_zone = who.time_zone.empty() ? "UTC" : who.time_zone;
      found->person.minute = parts->zones.minute_of_day(found->person.time_zone, at);
    }
  }
  co_return true;
}

Async<bool> add_blocks(std::shared_ptr<Parts> parts, Context context, UserId author, std::vector<Candidate>& all) {
  const auto directory = parts->ports.get<user::Directory>();
  auto blocked = co_await directory->ask<user::GetBlocked>(context, author);
  if (!blocked && blocked.error().code == Errc::not_found) co_return true;
  if (!blocked) co_return blocked.error();
  const std::unordered_set<UserId> with(blocked->ids.begin(), blocked->ids.end());
  for (auto& one : all) one.person.blocked = with.contains(one.user);
  co_return true;
}

}  // namespace

Async<std::vector<Judged>> judge(std::shared_ptr<Parts> parts, Context context, Message message, chat::Recipients recipients, bool everybody) {
  std::vector<Judged> out;
  auto all = candidates(parts->choices, message, recipients, everybody, parts->zones.minute_of_day("UTC", message.at));
  if (all.empty()) co_return out;
  auto blocks = co_await add_blocks(parts, context, recipients.author, all);
  if (!blocks) co_return blocks.error();
  auto zones = co_await add_time_zones(parts, context, message.at, all);
  if (!zones) co_return zones.error();
  for (const auto& one : all) {
    Judged judged;
    judged.user = one.user;
    judged.decision = decide(one.occasion, one.person);
    out.push_back(std::move(judged));
  }
  co_return out;
}

}  // namespace loggia::notification
