-- Levels: all, mentions, none. A person without a row has the standard settings.
CREATE TABLE settings (
  "user" BYTEA PRIMARY KEY,
  level TEXT COLLATE "C" NOT NULL,
  quiet_from BIGINT,          -- minutes after midnight in the person's time zone; both or none
  quiet_to BIGINT,
  email BIGINT NOT NULL DEFAULT 0,
  web_push BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE room_settings (
  "user" BYTEA NOT NULL,
  room BYTEA NOT NULL,
  level TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY ("user", room)
);
CREATE INDEX room_settings_by_room ON room_settings (room);

-- No text: it is read from the room. `room` and `seq` name a message for each person at most once.
CREATE TABLE notifications (
  "user" BYTEA NOT NULL,
  id BYTEA NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  room BYTEA,
  seq BIGINT,
  sender BYTEA,
  created_at BIGINT NOT NULL,
  read BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY ("user", id)
);
CREATE UNIQUE INDEX notifications_by_message ON notifications (room, seq, "user");
CREATE INDEX notifications_by_age ON notifications (created_at);

-- Why somebody whose level wants a message was, or was not, notified of it. Whoever does not want it has no row: that is decided
-- again from the level when they ask.
CREATE TABLE decisions (
  room BYTEA NOT NULL,
  seq BIGINT NOT NULL,
  "user" BYTEA NOT NULL,
  notified BIGINT NOT NULL,
  rules TEXT COLLATE "C" NOT NULL,         -- JSON: [{"rule": …, "result": …}]
  at BIGINT NOT NULL,
  PRIMARY KEY (room, seq, "user")
);
CREATE INDEX decisions_by_age ON decisions (at);
