-- Levels: all, mentions, none. A person without a row has the standard settings.
CREATE TABLE settings (
  user BLOB PRIMARY KEY,
  level TEXT NOT NULL,
  quiet_from INTEGER,          -- minutes after midnight in the person's time zone; both or none
  quiet_to INTEGER,
  email INTEGER NOT NULL DEFAULT 0,
  web_push INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE room_settings (
  user BLOB NOT NULL,
  room BLOB NOT NULL,
  level TEXT NOT NULL,
  PRIMARY KEY (user, room)
) WITHOUT ROWID;
CREATE INDEX room_settings_by_room ON room_settings (room);

-- No text: it is read from the room. `room` and `seq` name a message for each person at most once.
CREATE TABLE notifications (
  user BLOB NOT NULL,
  id BLOB NOT NULL,
  kind TEXT NOT NULL,
  room BLOB,
  seq INTEGER,
  sender BLOB,
  created_at INTEGER NOT NULL,
  read INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX notifications_by_message ON notifications (room, seq, user);
CREATE INDEX notifications_by_age ON notifications (created_at);

-- Why somebody whose level wants a message was, or was not, notified of it. Whoever does not want it has no row: that is decided
-- again from the level when they ask.
CREATE TABLE decisions (
  room BLOB NOT NULL,
  seq INTEGER NOT NULL,
  user BLOB NOT NULL,
  notified INTEGER NOT NULL,
  rules TEXT NOT NULL,         -- JSON: [{"rule": …, "result": …}]
  at INTEGER NOT NULL,
  PRIMARY KEY (room, seq, user)
) WITHOUT ROWID;
CREATE INDEX decisions_by_age ON decisions (at);
