-- name: overdue
-- Messages of linked accounts that should have left before $1 and have not begun to.
SELECT count(*) FROM messages m JOIN accounts a ON a.id = m.account_id
WHERE m.state IN ('SCHEDULED', 'ARMED') AND m.due_at < $1 AND a.link = 'LINKED';

-- name: accounts
-- How many accounts there are of each link.
SELECT link, count(*) AS count FROM accounts GROUP BY link;
