-- Authors and models are found by the words of their names.
CREATE VIRTUAL TABLE author_search USING fts5 (name, content='author', content_rowid='id', tokenize='unicode61');
CREATE TRIGGER author_search_add AFTER INSERT ON author BEGIN
  INSERT INTO author_search (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER author_search_remove AFTER DELETE ON author BEGIN
  INSERT INTO author_search (author_search, rowid, name) VALUES ('delete', old.id, old.name);
END;
CREATE TRIGGER author_search_change AFTER UPDATE OF name ON author BEGIN
  INSERT INTO author_search (author_search, rowid, name) VALUES ('delete', old.id, old.name);
  INSERT INTO author_search (rowid, name) VALUES (new.id, new.name);
END;
INSERT INTO author_search (author_search) VALUES ('rebuild');

CREATE VIRTUAL TABLE model_search USING fts5 (name, content='model', content_rowid='id', tokenize='unicode61');
CREATE TRIGGER model_search_add AFTER INSERT ON model BEGIN
  INSERT INTO model_search (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER model_search_remove AFTER DELETE ON model BEGIN
  INSERT INTO model_search (model_search, rowid, name) VALUES ('delete', old.id, old.name);
END;
CREATE TRIGGER model_search_change AFTER UPDATE OF name ON model BEGIN
  INSERT INTO model_search (model_search, rowid, name) VALUES ('delete', old.id, old.name);
  INSERT INTO model_search (rowid, name) VALUES (new.id, new.name);
END;
INSERT INTO model_search (model_search) VALUES ('rebuild');

CREATE INDEX repository_name ON repository (name COLLATE NOCASE);
-- The words of papers as they are kept, for those that were typed with a slip.
CREATE VIRTUAL TABLE paper_word USING fts5vocab ('paper_search', 'row');
