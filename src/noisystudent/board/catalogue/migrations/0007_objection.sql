-- What readers hold against a run of ours, or against its verdict, and a curator found worth showing.
CREATE TABLE objection (
  result_id INTEGER NOT NULL REFERENCES result,
  position INTEGER NOT NULL,
  reason TEXT NOT NULL,
  source_url TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (result_id, position)
) STRICT, WITHOUT ROWID;
