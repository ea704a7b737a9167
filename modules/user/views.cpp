#include "views.hpp"
#include <algorithm>

namespace loggia::user {
namespace {

/// The fields that both kinds of profile have.
template <class P> P common(const ProfileRow& row) {
  P out;
  out.id = row.id;
  out.username = row.username;
  out.display_name = row.display_name;
  out.bio = row.bio;
  out.presence = "offline";
  out.status_text = row.status_text;
  out.created_at = row.created_at;
  return out;
}

template <class P> void show_presence(P& out, const ProfileRow& row, const Presence& presence, Time now) {
  const auto seen = presence.of(row.id, now);
  out.presence = seen.state;
  out.last_seen = row.last_seen;
  if (seen.at) out.last_seen = std::max(*seen.at, row.last_seen.value_or(*seen.at));
}

}  // namespace

Viewer::Viewer(Query& query, const Caller& caller, const Presence& presence, Time now)
    : id_{caller.subject}, guest_{caller.is("guest")}, blocked_{store::blocked_with(query, id_)}, presence_{presence}, now_{now} {
  if (const auto own = store::by_id(query, id_)) shows_ = own->show_presence;
}

Profile Viewer::view(const ProfileRow& row) const {
  auto out = common<Profile>(row);
  if (row.id == id_ || (shows_ && row.show_presence && !blocked_.contains(row.id))) show_presence(out, row, presence_, now_);
  return out;
}

OwnProfile own_view(const ProfileRow& row, const Presence& presence, Time now) {
  auto out = common<OwnProfile>(row);
  show_presence(out, row, presence, now);
  out.locale = row.locale;
  out.time_zone = row.time_zone;
  out.show_presence = row.show_presence;
  out.show_receipts = row.show_receipts;
  return out;
}

}  // namespace loggia::user
