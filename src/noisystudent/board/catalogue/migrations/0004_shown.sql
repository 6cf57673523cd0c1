-- What readers are shown in more than one place, said once: pages, API, forms, files and feeds read these.
CREATE VIEW dataset_shown AS -- the name of a part stands behind that of the whole
SELECT d.*, CASE WHEN whole.id IS NULL THEN d.name ELSE whole.name || ': ' || d.name END AS shown,
  whole.slug AS whole_slug, whole.name AS whole_name
FROM dataset d LEFT JOIN dataset whole ON whole.id = d.parent_id;

CREATE VIEW leaderboard_shown AS
SELECT l.*, t.name AS task, t.slug AS task_slug, d.shown AS dataset, d.slug AS dataset_slug, d.parent_id AS whole_dataset_id,
  t.name || ' on ' || d.shown AS shown
FROM leaderboard l JOIN task t ON t.id = l.task_id JOIN dataset_shown d ON d.id = l.dataset_id;

CREATE VIEW result_shown AS -- a paper that the catalogue knows is called as it is called now, another as the source called it
SELECT r.*, coalesce(r.evaluated_on, r.paper_date, p.published) AS day, p.slug AS paper_slug,
  coalesce(nullif(p.title, ''), nullif(r.paper_title, ''), nullif(r.paper_url, '')) AS paper,
  coalesce(nullif(r.paper_url, ''), p.url_abs) AS paper_address
FROM result r LEFT JOIN paper p ON p.id = r.paper_id;
