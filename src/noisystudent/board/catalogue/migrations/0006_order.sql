-- Whether the rows of a result's table stand in the order of their ranks, as in the archive's form: only then does their order say which
-- direction is better. A model zoo's stand in that of its files.
ALTER TABLE result ADD COLUMN in_order INTEGER NOT NULL DEFAULT 0 CHECK (in_order IN (0, 1));
UPDATE result SET in_order = 1 WHERE added_by IN (
  SELECT id FROM event WHERE action = 'import' AND json_extract(detail, '$.report.format') = 'evaluation tables');
CREATE INDEX metric_name ON metric (name COLLATE NOCASE); -- one judgement of a name over the whole catalogue
