-- The day of a result, kept where a leaderboard of very many is counted and drawn by it: without papers, whose rows have abstracts in them.
ALTER TABLE result ADD COLUMN on_day TEXT; -- null where its date names none: there is no date, or it is a year alone, or 2019-02-30
CREATE VIEW result_dated AS
SELECT id, substr(day, 1, 10) AS on_day FROM result_shown WHERE date(substr(day, 1, 10), '+0 days') = substr(day, 1, 10) AND day >= '0001';
UPDATE result SET on_day = (SELECT dated.on_day FROM result_dated dated WHERE dated.id = result.id);
CREATE TRIGGER result_day AFTER INSERT ON result BEGIN
  UPDATE result SET on_day = (SELECT dated.on_day FROM result_dated dated WHERE dated.id = new.id) WHERE id = new.id;
END;
CREATE TRIGGER result_day_of_paper AFTER UPDATE OF paper_id ON result BEGIN
  UPDATE result SET on_day = (SELECT dated.on_day FROM result_dated dated WHERE dated.id = new.id) WHERE id = new.id;
END;
CREATE TRIGGER paper_day AFTER UPDATE OF published ON paper WHEN old.published IS NOT new.published BEGIN
  UPDATE result SET on_day = (SELECT dated.on_day FROM result_dated dated WHERE dated.id = result.id) WHERE paper_id = new.id;
END;
CREATE INDEX result_days ON result (leaderboard_id, kind, on_day, id, added_by, retired_by, model_id, extra_data, tags);

-- The best values of a metric are one walk of its index, and all of them beside their results one of another.
DROP INDEX value_of_metric;
CREATE INDEX value_of_metric ON value (metric_id, number);
CREATE INDEX value_of_metric_and_result ON value (metric_id, result_id, number, unit);
