-- What members are called, in lower case: chat's own copy of the user module's names, so that a message's mentions are found in the
-- command that stores it. A name never changes; it goes with its account.
CREATE TABLE names (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  "user" BYTEA NOT NULL
);
CREATE INDEX names_user ON names ("user");

-- Members from before there was a copy, until the user module has been asked.
CREATE TABLE nameless (
  "user" BYTEA NOT NULL PRIMARY KEY
);
INSERT INTO nameless ("user") SELECT DISTINCT "user" FROM members;
