-- Two entries that are one thing become one: their results stay as they are, under their numbers, but belong to the one that stays.
DROP TRIGGER result_stays;
CREATE TRIGGER result_stays BEFORE UPDATE OF
  kind, position, extra_data, evaluated_on, paper_title, paper_url, paper_date, source_url, locator,
  code_links, model_links, tags, external_id, supersedes, added_by ON result
BEGIN SELECT raise(ABORT, 'a result is superseded, never edited'); END;

-- What an entry that became another was called, so that a file which still calls it so makes no new one.
CREATE TABLE other_name (
  kind TEXT NOT NULL, -- task, dataset, method; paper, with its title or its address
  name TEXT NOT NULL COLLATE NOCASE,
  id INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

DROP TRIGGER value_stays; -- the column of a value that goes to another leaderboard is another one, too
CREATE TRIGGER value_stays BEFORE UPDATE OF result_id, raw, number, spread ON value
BEGIN SELECT raise(ABORT, 'a value belongs to a result, which is superseded, never edited'); END;
