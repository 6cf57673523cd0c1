-- The metric that ranks a leaderboard, kept by `ranking.refresh`: the first one, but no cost of the model while there is another.
ALTER TABLE leaderboard ADD COLUMN ranked_by INTEGER REFERENCES metric ON DELETE SET NULL;
UPDATE leaderboard SET ranked_by = (SELECT id FROM metric m WHERE m.leaderboard_id = leaderboard.id ORDER BY m.position, m.id LIMIT 1);
CREATE INDEX leaderboard_ranked_by ON leaderboard (ranked_by);
