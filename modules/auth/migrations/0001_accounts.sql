-- Ids are 16 bytes, times milliseconds since 1970, flags 0 and 1.

-- folded is the username in lower case: a name once used is not given again. roles: names separated by commas.
-- pending: the profile is not there yet, display_name waits for it.
CREATE TABLE accounts (
  id BLOB NOT NULL PRIMARY KEY,
  username TEXT NOT NULL,
  folded TEXT NOT NULL,
  password TEXT NOT NULL,
  roles TEXT NOT NULL,
  pending INTEGER NOT NULL DEFAULT 1,
  disabled INTEGER NOT NULL DEFAULT 0,
  email TEXT,
  email_verified INTEGER NOT NULL DEFAULT 0,
  display_name TEXT,
  created_at INTEGER NOT NULL,
  last_login INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_folded ON accounts (folded);
CREATE INDEX accounts_email ON accounts (email) WHERE email_verified = 1;
CREATE INDEX accounts_disabled ON accounts (id) WHERE disabled = 1;

-- Of refresh tokens only hashes: the one that is good, and the one before with the key that it was used with (idempotency).
CREATE TABLE sessions (
  id BLOB NOT NULL PRIMARY KEY,
  user BLOB NOT NULL,
  token BLOB NOT NULL,
  token_before BLOB,
  key_before BLOB,
  refreshed_at INTEGER,
  client TEXT NOT NULL,
  address TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Ended sessions, for as long as an access token of theirs may live.
CREATE TABLE revocations (
  session BLOB NOT NULL PRIMARY KEY,
  user BLOB NOT NULL,
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX revocations_until ON revocations (until);

-- The keys that sign access tokens. published: when it was first shown; first_use: when it begins to sign.
CREATE TABLE signing_keys (
  kid TEXT NOT NULL PRIMARY KEY,
  pem TEXT NOT NULL,
  published INTEGER NOT NULL,
  first_use INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE secrets (
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor BLOB,
  action TEXT NOT NULL,
  target TEXT,
  address TEXT,
  detail TEXT
);
CREATE INDEX audit_actor ON audit (actor, number);
CREATE INDEX audit_action ON audit (action, number);
