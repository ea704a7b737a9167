-- A notification that a mail may tell of. What is in a mail that was begun stays the same at each try: `mail` names it, by its first notification.
CREATE TABLE mail_items (
  notification BLOB NOT NULL PRIMARY KEY,
  person BLOB NOT NULL,
  room BLOB NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,             -- when the message was written
  state TEXT NOT NULL,             -- waiting, sent, dropped, failed
  mail BLOB,
  detail TEXT,                     -- why it was dropped or failed
  settled_at INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX mail_items_message ON mail_items (room, seq, person);
CREATE INDEX mail_items_person ON mail_items (person, state);
CREATE INDEX mail_items_age ON mail_items (at);

-- Everybody to whom a mail was, or is to be, sent.
CREATE TABLE mail_people (
  person BLOB NOT NULL PRIMARY KEY,
  due INTEGER,                     -- when it is looked at next; none: nothing waits
  since INTEGER NOT NULL,          -- since when something waits
  taken INTEGER NOT NULL DEFAULT 0,  -- being looked at
  mail BLOB,                       -- the one that was begun
  begun_at INTEGER,
  tries INTEGER NOT NULL DEFAULT 0,
  mailed_at INTEGER                -- when the one before went out
) WITHOUT ROWID;
CREATE INDEX mail_people_due ON mail_people (due);
