-- Ids are 16 bytes, times milliseconds since 1970, flags 0 and 1.

-- One number for every change in any room or membership: the positions of `hello`.
CREATE TABLE changes (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  newest INTEGER NOT NULL
);
INSERT INTO changes (id, newest) VALUES (1, 0);

-- kind: 1 public, 2 private, 3 direct. deleted: 1 while texts are being erased, then 2.
-- first and second are the two people of a direct room, the smaller id first.
CREATE TABLE rooms (
  id BLOB NOT NULL PRIMARY KEY,
  kind INTEGER NOT NULL,
  name TEXT,
  topic TEXT,
  folded TEXT NOT NULL DEFAULT '',
  retention TEXT,
  archived INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  first BLOB,
  second BLOB,
  created_at INTEGER NOT NULL,
  created_by BLOB NOT NULL,
  last_seq INTEGER NOT NULL DEFAULT 0,
  member_count INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE UNIQUE INDEX rooms_pair ON rooms (first, second) WHERE first IS NOT NULL;
CREATE INDEX rooms_public ON rooms (id) WHERE kind = 1 AND deleted = 0;
CREATE INDEX rooms_erasing ON rooms (id) WHERE deleted = 1;

-- role: 1 member, 2 moderator, 3 owner. joined_seq is the number of the member's own member.joined.
CREATE TABLE members (
  room BLOB NOT NULL,
  user BLOB NOT NULL,
  role INTEGER NOT NULL,
  joined_at INTEGER NOT NULL,
  joined_seq INTEGER NOT NULL,
  read_seq INTEGER NOT NULL,
  read_at INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  PRIMARY KEY (room, user)
) WITHOUT ROWID;
CREATE INDEX members_user ON members (user, room);
CREATE INDEX members_joined ON members (room, joined_seq);

-- Who was in a room and is no more: left, removed, banned, deleted (the room).
CREATE TABLE departures (
  user BLOB NOT NULL,
  room BLOB NOT NULL,
  why TEXT NOT NULL,
  changed INTEGER NOT NULL,
  PRIMARY KEY (user, room)
) WITHOUT ROWID;

CREATE TABLE bans (
  room BLOB NOT NULL,
  user BLOB NOT NULL,
  by BLOB,
  at INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (room, user)
) WITHOUT ROWID;

-- The index serves look-up by number and the counting of unread ones. mentions: ids, one after the other.
CREATE TABLE messages (
  number INTEGER PRIMARY KEY,
  room BLOB NOT NULL,
  seq INTEGER NOT NULL,
  id BLOB NOT NULL,
  author BLOB NOT NULL,
  text TEXT NOT NULL,
  client_id TEXT,
  fingerprint BLOB,
  reply_to INTEGER,
  mentions BLOB,
  mentions_room INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  edited_at INTEGER,
  deleted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX messages_place ON messages (room, seq, author, deleted);
CREATE UNIQUE INDEX messages_client ON messages (author, client_id) WHERE client_id IS NOT NULL;

-- user is 16 zero bytes for @room.
CREATE TABLE mentions (
  room BLOB NOT NULL,
  user BLOB NOT NULL,
  seq INTEGER NOT NULL,
  author BLOB NOT NULL,
  PRIMARY KEY (room, user, seq)
) WITHOUT ROWID;
CREATE INDEX mentions_message ON mentions (room, seq);

-- folded is the emoji without U+FE0F, which decides what is the same; emoji as it was first given.
CREATE TABLE reactions (
  room BLOB NOT NULL,
  message_seq INTEGER NOT NULL,
  folded TEXT NOT NULL,
  user BLOB NOT NULL,
  emoji TEXT NOT NULL,
  event_seq INTEGER NOT NULL,
  PRIMARY KEY (room, message_seq, folded, user)
) WITHOUT ROWID;

CREATE TABLE pins (
  room BLOB NOT NULL,
  message_seq INTEGER NOT NULL,
  event_seq INTEGER NOT NULL,
  PRIMARY KEY (room, message_seq)
) WITHOUT ROWID;

-- The frames as they are sent. edits is the message whose message.edited a frame is: what a later edit rewrites.
CREATE TABLE timeline (
  number INTEGER PRIMARY KEY,
  room BLOB NOT NULL,
  seq INTEGER NOT NULL,
  edits INTEGER,
  frame TEXT NOT NULL
);
CREATE UNIQUE INDEX timeline_place ON timeline (room, seq);
CREATE INDEX timeline_edits ON timeline (room, edits) WHERE edits IS NOT NULL;
