#pragma once
// What the process before this one left in the log of writes.
#include <string>

namespace loggia::sqlite {

/// Makes durable what the log of writes of the database at `path` shows, before anybody is told of it. A process that ended between the last
/// write of a commit and its sync left a commit that looks like any other and that the power may still take: a client that asks again
/// would get an answer that does not hold. After a sync that failed the system takes pages for written that never were, and later syncs
/// do nothing for them: what is newer would be applied around a hole. So the log is copied, synced, and the copy takes its name; its
/// folder is to be synced then. Throws SQLite::Exception. Nobody has the database open.
void settle(const std::string& path);

}  // namespace loggia::sqlite
