-- What the link in a mail proves: whoever has it reads the mail of this address. Of the token only the hash; each is good once.
-- Kept for a while after its use, for the limits.
CREATE TABLE mail_tokens (
  hash BYTEA NOT NULL PRIMARY KEY,
  account BYTEA NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,           -- verify, reset
  address TEXT COLLATE "C" NOT NULL,
  made_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX mail_tokens_account ON mail_tokens (account, made_at);
CREATE INDEX mail_tokens_address ON mail_tokens (address, made_at);
CREATE INDEX mail_tokens_expiry ON mail_tokens (expires_at);

-- An address is of one account, once it is proved.
CREATE UNIQUE INDEX accounts_proved ON accounts (email) WHERE email_verified = 1;

-- Mails that wait to be sent. Until then the token itself is here, since the mail holds it; with the row it goes. Whose account it is that a new
-- password is asked for, and whether it is anybody's, is found out when the mail is due: until then `account` is nil and there is no token.
CREATE TABLE mails (
  id BYTEA NOT NULL PRIMARY KEY,
  account BYTEA NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,           -- verify, reset, moved
  address TEXT COLLATE "C" NOT NULL,
  token TEXT COLLATE "C" NOT NULL,             -- empty: none, or not yet
  made_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  due BIGINT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE INDEX mails_due ON mails (due);
CREATE INDEX mails_account ON mails (account);
CREATE INDEX mails_address ON mails (address);
