-- What the link in a mail proves: whoever has it reads the mail of this address. Of the token only the hash; each is good once.
-- Kept for a while after its use, for the limits.
CREATE TABLE mail_tokens (
  hash BLOB NOT NULL PRIMARY KEY,
  account BLOB NOT NULL,
  purpose TEXT NOT NULL,           -- verify, reset
  address TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX mail_tokens_account ON mail_tokens (account, made_at);
CREATE INDEX mail_tokens_address ON mail_tokens (address, made_at);
CREATE INDEX mail_tokens_expiry ON mail_tokens (expires_at);

-- An address is of one account, once it is proved.
CREATE UNIQUE INDEX accounts_proved ON accounts (email) WHERE email_verified = 1;

-- Mails that wait to be sent. Until then the token itself is here, since the mail holds it; with the row it goes. Whose account it is that a new
-- password is asked for, and whether it is anybody's, is found out when the mail is due: until then `account` is nil and there is no token.
CREATE TABLE mails (
  id BLOB NOT NULL PRIMARY KEY,
  account BLOB NOT NULL,
  purpose TEXT NOT NULL,           -- verify, reset, moved
  address TEXT NOT NULL,
  token TEXT NOT NULL,             -- empty: none, or not yet
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  due INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX mails_due ON mails (due);
CREATE INDEX mails_account ON mails (account);
CREATE INDEX mails_address ON mails (address);
