-- Entries are found by their names in any capitals (names.py).
CREATE INDEX paper_title ON paper (title COLLATE NOCASE);
CREATE INDEX task_name_of_any_case ON task (name COLLATE NOCASE);
CREATE INDEX dataset_name_of_any_case ON dataset (name COLLATE NOCASE);
CREATE INDEX method_name_of_any_case ON method (name COLLATE NOCASE);
