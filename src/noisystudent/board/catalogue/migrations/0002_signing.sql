-- Sessions that were ended before their time: a cookie of one, which somebody may have copied, opens nothing any more.
CREATE TABLE ended_session (
  nonce TEXT PRIMARY KEY, -- the random text that is the session's alone
  expires INTEGER NOT NULL -- in seconds since 1970; behind it the row is needed no more
) STRICT, WITHOUT ROWID;

ALTER TABLE token ADD COLUMN expires_at TEXT; -- NULL: it holds until it is revoked
