-- Ids are 16 bytes, times milliseconds since 1970, flags 0 and 1.

-- name is the username folded, search what GET /users looks into: username and display name, folded, a line each.
CREATE TABLE profiles (
  id BLOB NOT NULL PRIMARY KEY,
  username TEXT NOT NULL,
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  search TEXT NOT NULL,
  bio TEXT NOT NULL DEFAULT '',
  status_text TEXT,
  locale TEXT NOT NULL DEFAULT 'en',
  time_zone TEXT NOT NULL DEFAULT 'UTC',
  show_presence INTEGER NOT NULL DEFAULT 1,
  show_receipts INTEGER NOT NULL DEFAULT 1,
  last_seen INTEGER,
  created_at INTEGER NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE UNIQUE INDEX profiles_name ON profiles (name);

CREATE TABLE blocks (
  user BLOB NOT NULL,
  blocked BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (user, blocked)
) WITHOUT ROWID;
CREATE INDEX blocks_blocked ON blocks (blocked, user);
