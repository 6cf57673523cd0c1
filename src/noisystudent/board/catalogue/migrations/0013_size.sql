-- How many rows the large tables have: counting them reads a whole index, a page of the disk at a time. Readers behind the veil have a view in
-- front of it, too (veil.py).
CREATE TABLE size (kind TEXT PRIMARY KEY, rows INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO size SELECT 'paper', count(*) FROM paper
UNION ALL SELECT 'author', count(*) FROM author
UNION ALL SELECT 'repository', count(*) FROM repository
UNION ALL SELECT 'task', count(*) FROM task
UNION ALL SELECT 'dataset', count(*) FROM dataset
UNION ALL SELECT 'method', count(*) FROM method;
CREATE TRIGGER paper_counted AFTER INSERT ON paper BEGIN UPDATE size SET rows = rows + 1 WHERE kind = 'paper'; END;
CREATE TRIGGER paper_uncounted AFTER DELETE ON paper BEGIN UPDATE size SET rows = rows - 1 WHERE kind = 'paper'; END;
CREATE TRIGGER author_counted AFTER INSERT ON author BEGIN UPDATE size SET rows = rows + 1 WHERE kind = 'author'; END;
CREATE TRIGGER author_uncounted AFTER DELETE ON author BEGIN UPDATE size SET rows = rows - 1 WHERE kind = 'author'; END;
CREATE TRIGGER repository_counted AFTER INSERT ON repository BEGIN UPDATE size SET rows = rows + 1 WHERE kind = 'repository'; END;
CREATE TRIGGER repository_uncounted AFTER DELETE ON repository BEGIN UPDATE size SET rows = rows - 1 WHERE kind = 'repository'; END;
CREATE TRIGGER task_counted AFTER INSERT ON task BEGIN UPDATE size SET rows = rows + 1 WHERE kind = 'task'; END;
CREATE TRIGGER task_uncounted AFTER DELETE ON task BEGIN UPDATE size SET rows = rows - 1 WHERE kind = 'task'; END;
CREATE TRIGGER dataset_counted AFTER INSERT ON dataset BEGIN UPDATE size SET rows = rows + 1 WHERE kind = 'dataset'; END;
CREATE TRIGGER dataset_uncounted AFTER DELETE ON dataset BEGIN UPDATE size SET rows = rows - 1 WHERE kind = 'dataset'; END;
CREATE TRIGGER method_counted AFTER INSERT ON method BEGIN UPDATE size SET rows = rows + 1 WHERE kind = 'method'; END;
CREATE TRIGGER method_uncounted AFTER DELETE ON method BEGIN UPDATE size SET rows = rows - 1 WHERE kind = 'method'; END;
