-- The catalogue. What a paper says (a claim) and what was measured (a run) are both results; a result is never edited: it is retired
-- by one event and another is added. Text that a source gave is kept as it was, numbers are read from it.

-- A layer: where rows come from, and under which licence.
CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  licence TEXT NOT NULL DEFAULT '',
  attribution TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL DEFAULT ''
) STRICT;

-- One row for one change of the catalogue, that is for one transaction; nothing is ever taken out.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX event_at ON event (at);
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_remains BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'events are never removed'); END;

CREATE TABLE area (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE task (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a number that events name is not given again
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL DEFAULT '',
  link_title TEXT NOT NULL DEFAULT '',
  link_url TEXT NOT NULL DEFAULT '',
  source_id INTEGER REFERENCES source
) STRICT;
CREATE TABLE task_area (
  task_id INTEGER NOT NULL REFERENCES task ON DELETE CASCADE,
  area_id INTEGER NOT NULL REFERENCES area,
  PRIMARY KEY (task_id, area_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_area_of_area ON task_area (area_id);
CREATE TABLE task_parent (
  task_id INTEGER NOT NULL REFERENCES task ON DELETE CASCADE,
  parent_id INTEGER NOT NULL REFERENCES task ON DELETE CASCADE,
  PRIMARY KEY (task_id, parent_id),
  CHECK (task_id <> parent_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_parent_of_parent ON task_parent (parent_id);
CREATE TABLE task_synonym (
  task_id INTEGER NOT NULL REFERENCES task ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY (task_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE venue (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE proceeding (
  id INTEGER PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  venue_id INTEGER NOT NULL REFERENCES venue,
  name TEXT NOT NULL UNIQUE, -- as the dump has it: "CVPR 2020 6"
  year INTEGER,
  month INTEGER
) STRICT;
CREATE INDEX proceeding_of_venue ON proceeding (venue_id);

-- `published` is the date as given, which may lie in the year 2222: readers of "newest" leave out the future.
CREATE TABLE paper (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a number that events name is not given again
  slug TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  abstract TEXT NOT NULL DEFAULT '',
  short_abstract TEXT,
  arxiv_id TEXT,
  openreview_id TEXT,
  nips_id TEXT,
  url_abs TEXT,
  url_pdf TEXT,
  published TEXT,
  proceeding_id INTEGER REFERENCES proceeding,
  conference TEXT,
  conference_url_abs TEXT,
  conference_url_pdf TEXT,
  reproduces_paper TEXT,
  source_id INTEGER REFERENCES source
) STRICT;
CREATE INDEX paper_arxiv ON paper (arxiv_id) WHERE arxiv_id IS NOT NULL;
CREATE INDEX paper_url_abs ON paper (url_abs) WHERE url_abs IS NOT NULL;
CREATE INDEX paper_published ON paper (published);
CREATE INDEX paper_source ON paper (source_id);
CREATE INDEX paper_reproduces ON paper (reproduces_paper) WHERE reproduces_paper IS NOT NULL;
CREATE INDEX paper_proceeding ON paper (proceeding_id) WHERE proceeding_id IS NOT NULL;

CREATE TABLE author (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE paper_author (
  paper_id INTEGER NOT NULL REFERENCES paper ON DELETE CASCADE,
  position INTEGER NOT NULL,
  author_id INTEGER NOT NULL REFERENCES author,
  PRIMARY KEY (paper_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX paper_author_of_author ON paper_author (author_id);

-- The date is repeated here so that the newest papers of a task are one walk of an index.
CREATE TABLE paper_task (
  paper_id INTEGER NOT NULL REFERENCES paper ON DELETE CASCADE,
  task_id INTEGER NOT NULL REFERENCES task,
  published TEXT,
  PRIMARY KEY (paper_id, task_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX paper_task_newest ON paper_task (task_id, published);

CREATE TABLE repository (
  id INTEGER PRIMARY KEY,
  url TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL DEFAULT '',
  description TEXT NOT NULL DEFAULT '',
  stars INTEGER
) STRICT;
CREATE INDEX repository_owner ON repository (owner, name);
CREATE TABLE paper_repository (
  paper_id INTEGER NOT NULL REFERENCES paper ON DELETE CASCADE,
  repository_id INTEGER NOT NULL REFERENCES repository,
  is_official INTEGER NOT NULL DEFAULT 0,
  mentioned_in_paper INTEGER NOT NULL DEFAULT 0,
  mentioned_in_github INTEGER NOT NULL DEFAULT 0,
  framework TEXT NOT NULL DEFAULT 'none',
  PRIMARY KEY (paper_id, repository_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX paper_repository_of_repository ON paper_repository (repository_id);

CREATE TABLE dataset (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a number that events name is not given again
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  parent_id INTEGER REFERENCES dataset, -- of a "subdataset" of the evaluation tables
  full_name TEXT NOT NULL DEFAULT '',
  homepage TEXT NOT NULL DEFAULT '',
  description TEXT NOT NULL DEFAULT '',
  short_description TEXT NOT NULL DEFAULT '',
  parent_dataset TEXT, -- as the dump has it
  image TEXT,
  paper_id INTEGER REFERENCES paper,
  paper_title TEXT,
  paper_url TEXT,
  introduced_date TEXT,
  warning TEXT,
  licence_name TEXT,
  licence_url TEXT,
  modalities TEXT NOT NULL DEFAULT '[]', -- these four are JSON lists
  languages TEXT NOT NULL DEFAULT '[]',
  variants TEXT NOT NULL DEFAULT '[]',
  data_loaders TEXT NOT NULL DEFAULT '[]',
  num_papers INTEGER,
  source_id INTEGER REFERENCES source
) STRICT;
CREATE UNIQUE INDEX dataset_name ON dataset (name, coalesce(parent_id, 0));
CREATE TABLE dataset_task (
  dataset_id INTEGER NOT NULL REFERENCES dataset ON DELETE CASCADE,
  task_id INTEGER NOT NULL REFERENCES task,
  PRIMARY KEY (dataset_id, task_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX dataset_task_of_task ON dataset_task (task_id);
CREATE TABLE paper_dataset (
  paper_id INTEGER NOT NULL REFERENCES paper ON DELETE CASCADE,
  dataset_id INTEGER NOT NULL REFERENCES dataset,
  role TEXT NOT NULL CHECK (role IN ('introduced', 'used')),
  PRIMARY KEY (paper_id, dataset_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX paper_dataset_of_dataset ON paper_dataset (dataset_id);

CREATE TABLE method (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a number that events name is not given again
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  full_name TEXT NOT NULL DEFAULT '',
  description TEXT NOT NULL DEFAULT '',
  introduced_year INTEGER,
  paper_id INTEGER REFERENCES paper,
  paper_title TEXT,
  paper_url TEXT,
  source_title TEXT,
  source_url TEXT,
  code_snippet_url TEXT,
  num_papers INTEGER,
  source_id INTEGER REFERENCES source
) STRICT;
CREATE INDEX method_name ON method (name);
CREATE TABLE collection (
  id INTEGER PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  area TEXT NOT NULL DEFAULT '',
  area_slug TEXT NOT NULL DEFAULT '',
  UNIQUE (name, area, area_slug)
) STRICT;
CREATE TABLE method_collection (
  method_id INTEGER NOT NULL REFERENCES method ON DELETE CASCADE,
  collection_id INTEGER NOT NULL REFERENCES collection,
  PRIMARY KEY (method_id, collection_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX method_collection_of_collection ON method_collection (collection_id);
CREATE TABLE paper_method (
  paper_id INTEGER NOT NULL REFERENCES paper ON DELETE CASCADE,
  method_id INTEGER NOT NULL REFERENCES method,
  PRIMARY KEY (paper_id, method_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX paper_method_of_method ON paper_method (method_id);

-- The last four columns are kept by `ranking.refresh`: what a list of leaderboards shows.
CREATE TABLE leaderboard (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a number that events name is not given again
  slug TEXT NOT NULL UNIQUE,
  task_id INTEGER NOT NULL REFERENCES task,
  dataset_id INTEGER NOT NULL REFERENCES dataset,
  description TEXT NOT NULL DEFAULT '',
  links TEXT NOT NULL DEFAULT '[]', -- JSON lists of {title, url}
  citations TEXT NOT NULL DEFAULT '[]',
  external_id TEXT,
  mirror_url TEXT,
  source_id INTEGER REFERENCES source,
  best_result_id INTEGER,
  best_since TEXT,
  result_count INTEGER NOT NULL DEFAULT 0,
  paper_count INTEGER NOT NULL DEFAULT 0,
  UNIQUE (task_id, dataset_id)
) STRICT;
CREATE INDEX leaderboard_of_dataset ON leaderboard (dataset_id);
CREATE INDEX leaderboard_busiest ON leaderboard (result_count);

CREATE TABLE metric (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a number that events name is not given again
  leaderboard_id INTEGER NOT NULL REFERENCES leaderboard ON DELETE CASCADE,
  name TEXT NOT NULL,
  position INTEGER NOT NULL, -- the first one ranks the table
  description TEXT NOT NULL DEFAULT '',
  unit TEXT NOT NULL DEFAULT '',
  higher_is_better INTEGER CHECK (higher_is_better IN (0, 1)), -- null: not known, and then nothing is ranked by it
  direction_origin TEXT NOT NULL DEFAULT 'unknown'
    CHECK (direction_origin IN ('curated', 'given', 'known name', 'order of rows', 'pattern of name', 'unknown')),
  tolerance REAL, -- within which a run reproduces a claim, in the metric's own unit
  tolerance_basis TEXT NOT NULL DEFAULT '',
  external_id TEXT,
  UNIQUE (leaderboard_id, name),
  CHECK ((higher_is_better IS NULL) = (direction_origin = 'unknown'))
) STRICT;

CREATE TABLE model (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  paper_id INTEGER REFERENCES paper,
  parameters REAL,
  multiply_adds REAL,
  weights_url TEXT,
  is_open INTEGER
) STRICT;
CREATE UNIQUE INDEX model_name ON model (name, coalesce(paper_id, 0));

CREATE TABLE result (
  id INTEGER PRIMARY KEY,
  leaderboard_id INTEGER NOT NULL REFERENCES leaderboard,
  model_id INTEGER NOT NULL REFERENCES model,
  paper_id INTEGER REFERENCES paper,
  kind TEXT NOT NULL DEFAULT 'claim' CHECK (kind IN ('claim', 'run')),
  position INTEGER NOT NULL DEFAULT 0, -- in the table that it came from
  extra_data INTEGER CHECK (extra_data IN (0, 1)), -- null: not said
  evaluated_on TEXT,
  paper_title TEXT NOT NULL DEFAULT '', -- these three as the row gave them
  paper_url TEXT NOT NULL DEFAULT '',
  paper_date TEXT,
  source_url TEXT, -- where the number stands
  locator TEXT NOT NULL DEFAULT '', -- table, row or page there
  code_links TEXT NOT NULL DEFAULT '[]', -- JSON lists of {title, url}
  model_links TEXT NOT NULL DEFAULT '[]',
  tags TEXT NOT NULL DEFAULT '[]', -- JSON list of strings
  external_id TEXT,
  source_id INTEGER REFERENCES source,
  supersedes INTEGER REFERENCES result,
  added_by INTEGER NOT NULL REFERENCES event DEFERRABLE INITIALLY DEFERRED,
  retired_by INTEGER REFERENCES event DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX result_of_leaderboard ON result (leaderboard_id, retired_by);
CREATE INDEX result_of_paper ON result (paper_id) WHERE paper_id IS NOT NULL;
CREATE INDEX result_of_model ON result (model_id);
CREATE INDEX result_added ON result (added_by);
CREATE INDEX result_retired ON result (retired_by) WHERE retired_by IS NOT NULL;
CREATE UNIQUE INDEX result_external ON result (leaderboard_id, external_id) WHERE external_id IS NOT NULL AND retired_by IS NULL;
CREATE TRIGGER result_stays BEFORE UPDATE OF
  leaderboard_id, model_id, kind, position, extra_data, evaluated_on, paper_title, paper_url, paper_date, source_url, locator,
  code_links, model_links, tags, external_id, supersedes, added_by ON result
BEGIN SELECT raise(ABORT, 'a result is superseded, never edited'); END;
CREATE TRIGGER result_remains BEFORE DELETE ON result BEGIN SELECT raise(ABORT, 'a result is retired, never removed'); END;

-- `rank` is kept by `ranking.refresh`; null where the value cannot be compared with the others of its metric.
CREATE TABLE value (
  result_id INTEGER NOT NULL REFERENCES result,
  metric_id INTEGER NOT NULL REFERENCES metric,
  raw TEXT NOT NULL,
  number REAL,
  unit TEXT NOT NULL DEFAULT '',
  spread REAL,
  rank INTEGER,
  PRIMARY KEY (result_id, metric_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX value_of_metric ON value (metric_id);
CREATE TRIGGER value_stays BEFORE UPDATE OF result_id, metric_id, raw, number, spread ON value
BEGIN SELECT raise(ABORT, 'a value belongs to a result, which is superseded, never edited'); END;

-- What a run of ours adds to its result.
CREATE TABLE run (
  result_id INTEGER PRIMARY KEY REFERENCES result,
  claim_id INTEGER REFERENCES result, -- the paper's result that it stands beside
  folder TEXT NOT NULL DEFAULT '',
  command TEXT NOT NULL DEFAULT '',
  git_commit TEXT NOT NULL DEFAULT '',
  config TEXT NOT NULL DEFAULT '', -- TOML
  environment TEXT NOT NULL DEFAULT '{}', -- JSON
  seeds TEXT NOT NULL DEFAULT '[]', -- JSON
  images INTEGER, -- how many it was measured on
  intervals TEXT NOT NULL DEFAULT '{}' -- JSON: metric name to [low, high], 95 %
) STRICT;

-- Old addresses: of a kind ("task", "dataset", "paper", "method", "leaderboard", "author"), to what they mean now.
CREATE TABLE alias (
  kind TEXT NOT NULL,
  old TEXT NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (kind, old)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL UNIQUE, -- SHA-256 of the token, which has 256 random bits
  scopes TEXT NOT NULL, -- JSON list of "submit", "curate"
  created_at TEXT NOT NULL,
  revoked_at TEXT,
  used_at TEXT
) STRICT;

CREATE TABLE submission (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  submitter TEXT NOT NULL,
  token_id INTEGER REFERENCES token,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL, -- JSON
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
  decided_at TEXT,
  decided_by TEXT,
  reason TEXT NOT NULL DEFAULT '',
  receipt TEXT NOT NULL UNIQUE, -- hash of what the submitter shows to take it back
  event_id INTEGER REFERENCES event DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX submission_pending ON submission (status, id);

CREATE VIRTUAL TABLE paper_search USING fts5 (title, abstract, content='paper', content_rowid='id', tokenize='porter unicode61');
CREATE TRIGGER paper_search_add AFTER INSERT ON paper BEGIN
  INSERT INTO paper_search (rowid, title, abstract) VALUES (new.id, new.title, new.abstract);
END;
CREATE TRIGGER paper_search_remove AFTER DELETE ON paper BEGIN
  INSERT INTO paper_search (paper_search, rowid, title, abstract) VALUES ('delete', old.id, old.title, old.abstract);
END;
CREATE TRIGGER paper_search_change AFTER UPDATE OF title, abstract ON paper BEGIN
  INSERT INTO paper_search (paper_search, rowid, title, abstract) VALUES ('delete', old.id, old.title, old.abstract);
  INSERT INTO paper_search (rowid, title, abstract) VALUES (new.id, new.title, new.abstract);
END;

CREATE VIRTUAL TABLE task_search USING fts5 (name, content='task', content_rowid='id', tokenize='trigram');
CREATE TRIGGER task_search_add AFTER INSERT ON task BEGIN
  INSERT INTO task_search (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER task_search_remove AFTER DELETE ON task BEGIN
  INSERT INTO task_search (task_search, rowid, name) VALUES ('delete', old.id, old.name);
END;
CREATE TRIGGER task_search_change AFTER UPDATE OF name ON task BEGIN
  INSERT INTO task_search (task_search, rowid, name) VALUES ('delete', old.id, old.name);
  INSERT INTO task_search (rowid, name) VALUES (new.id, new.name);
END;
CREATE VIRTUAL TABLE dataset_search USING fts5 (name, full_name, content='dataset', content_rowid='id', tokenize='trigram');
CREATE TRIGGER dataset_search_add AFTER INSERT ON dataset BEGIN
  INSERT INTO dataset_search (rowid, name, full_name) VALUES (new.id, new.name, new.full_name);
END;
CREATE TRIGGER dataset_search_remove AFTER DELETE ON dataset BEGIN
  INSERT INTO dataset_search (dataset_search, rowid, name, full_name) VALUES ('delete', old.id, old.name, old.full_name);
END;
CREATE TRIGGER dataset_search_change AFTER UPDATE OF name, full_name ON dataset BEGIN
  INSERT INTO dataset_search (dataset_search, rowid, name, full_name) VALUES ('delete', old.id, old.name, old.full_name);
  INSERT INTO dataset_search (rowid, name, full_name) VALUES (new.id, new.name, new.full_name);
END;
CREATE VIRTUAL TABLE method_search USING fts5 (name, full_name, content='method', content_rowid='id', tokenize='trigram');
CREATE TRIGGER method_search_add AFTER INSERT ON method BEGIN
  INSERT INTO method_search (rowid, name, full_name) VALUES (new.id, new.name, new.full_name);
END;
CREATE TRIGGER method_search_remove AFTER DELETE ON method BEGIN
  INSERT INTO method_search (method_search, rowid, name, full_name) VALUES ('delete', old.id, old.name, old.full_name);
END;
CREATE TRIGGER method_search_change AFTER UPDATE OF name, full_name ON method BEGIN
  INSERT INTO method_search (method_search, rowid, name, full_name) VALUES ('delete', old.id, old.name, old.full_name);
  INSERT INTO method_search (rowid, name, full_name) VALUES (new.id, new.name, new.full_name);
END;
