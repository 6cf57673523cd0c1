-- A claim that an author of its paper says is theirs and right: the author's name, and where it can be seen, an address or a note of the
-- curator who recorded it (verifying.py). What takes the claim's place is another claim, and has no such mark.
ALTER TABLE result ADD COLUMN verified_by TEXT NOT NULL DEFAULT '';
ALTER TABLE result ADD COLUMN verified_where TEXT NOT NULL DEFAULT '';
-- Which rows stand and what a page counts of them is read from this index alone (0005_day.sql).
DROP INDEX result_days;
CREATE INDEX result_days ON result (leaderboard_id, kind, on_day, id, added_by, retired_by, model_id, extra_data, tags, verified_by);
