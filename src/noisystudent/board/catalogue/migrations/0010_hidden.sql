-- Entries that a curator hid: they stay in the catalogue, where files that name them find them, and readers see nothing of them (veil.py).
CREATE TABLE hidden (
  kind TEXT NOT NULL, -- paper, task, dataset, method, result
  id INTEGER NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX result_supersedes ON result (supersedes) WHERE supersedes IS NOT NULL;

-- Parts of a hidden data set are hidden with it, and what hangs on a hidden entry: its leaderboards, its results.
CREATE VIEW hidden_dataset AS
SELECT id FROM hidden WHERE kind = 'dataset'
UNION SELECT d.id FROM hidden h JOIN dataset d ON d.parent_id = h.id WHERE h.kind = 'dataset';

CREATE VIEW hidden_leaderboard AS
SELECT l.id FROM hidden h JOIN leaderboard l ON l.task_id = h.id WHERE h.kind = 'task'
UNION SELECT l.id FROM hidden_dataset h JOIN leaderboard l ON l.dataset_id = h.id;

-- Those that do not count on a leaderboard that readers see. What takes the place of a hidden result is hidden as well.
CREATE VIEW hidden_result AS
WITH RECURSIVE gone (id) AS (
  SELECT id FROM hidden WHERE kind = 'result'
  UNION SELECT r.id FROM gone JOIN result r ON r.supersedes = gone.id
)
SELECT id FROM gone
UNION SELECT r.id FROM hidden h JOIN result r ON r.paper_id = h.id WHERE h.kind = 'paper';

-- As reports on reproducing hidden papers name them. (An expression in front of the column would cost every reader its index.)
CREATE VIEW hidden_address AS
SELECT p.slug AS name FROM hidden h JOIN paper p ON p.id = h.id WHERE h.kind = 'paper'
UNION SELECT 'https://paperswithcode.com/paper/' || p.slug FROM hidden h JOIN paper p ON p.id = h.id WHERE h.kind = 'paper';
