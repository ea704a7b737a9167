-- A notification that a mail may tell of. What is in a mail that was begun stays the same at each try: `mail` names it, by its first notification.
CREATE TABLE mail_items (
  notification BYTEA NOT NULL PRIMARY KEY,
  person BYTEA NOT NULL,
  room BYTEA NOT NULL,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,             -- when the message was written
  state TEXT COLLATE "C" NOT NULL,             -- waiting, sent, dropped, failed
  mail BYTEA,
  detail TEXT COLLATE "C",                     -- why it was dropped or failed
  settled_at BIGINT
);
CREATE UNIQUE INDEX mail_items_message ON mail_items (room, seq, person);
CREATE INDEX mail_items_person ON mail_items (person, state);
CREATE INDEX mail_items_age ON mail_items (at);

-- Everybody to whom a mail was, or is to be, sent.
CREATE TABLE mail_people (
  person BYTEA NOT NULL PRIMARY KEY,
  due BIGINT,                     -- when it is looked at next; none: nothing waits
  since BIGINT NOT NULL,          -- since when something waits
  taken BIGINT NOT NULL DEFAULT 0,  -- being looked at
  mail BYTEA,                       -- the one that was begun
  begun_at BIGINT,
  tries BIGINT NOT NULL DEFAULT 0,
  mailed_at BIGINT                -- when the one before went out
) WITH (fillfactor = 70);
CREATE INDEX mail_people_due ON mail_people (due);
