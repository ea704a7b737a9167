-- Ids are 16 bytes, times milliseconds since 1970, flags 0 and 1.

-- name is the username folded, search what GET /users looks into: username and display name, folded, a line each.
CREATE TABLE profiles (
  id BYTEA NOT NULL PRIMARY KEY,
  username TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  display_name TEXT COLLATE "C" NOT NULL,
  search TEXT COLLATE "C" NOT NULL,
  bio TEXT COLLATE "C" NOT NULL DEFAULT '',
  status_text TEXT COLLATE "C",
  locale TEXT COLLATE "C" NOT NULL DEFAULT 'en',
  time_zone TEXT COLLATE "C" NOT NULL DEFAULT 'UTC',
  show_presence BIGINT NOT NULL DEFAULT 1,
  show_receipts BIGINT NOT NULL DEFAULT 1,
  last_seen BIGINT,
  created_at BIGINT NOT NULL,
  deleted BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX profiles_name ON profiles (name);

CREATE TABLE blocks (
  "user" BYTEA NOT NULL,
  blocked BYTEA NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY ("user", blocked)
);
CREATE INDEX blocks_blocked ON blocks (blocked, "user");
