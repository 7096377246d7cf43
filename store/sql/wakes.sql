-- What the sessions of an account did. Written by the statements of accounts.sql, in the same breath.

-- name: lately
-- The newest wakes of account $1 of user $2, newest first, at most $3.
SELECT w.woken_at, w.ready_at, w.slept_at, w.reason, w.ending
FROM wakes w JOIN accounts a ON a.id = w.account_id
WHERE a.id = $1 AND a.user_id = $2 ORDER BY w.woken_at DESC LIMIT $3;

-- name: of_account
-- The newest wakes of account $1, whosever it is, newest first, at most $2.
SELECT woken_at, ready_at, slept_at, reason, ending FROM wakes WHERE account_id = $1 ORDER BY woken_at DESC LIMIT $2;

-- name: around
-- The wake of account $1 of user $2 in which instant $3 lies. One whose end nobody saw reaches to the next.
SELECT w.woken_at, w.ready_at, w.slept_at, w.reason, w.ending
FROM wakes w JOIN accounts a ON a.id = w.account_id
WHERE a.id = $1 AND a.user_id = $2 AND w.woken_at = (
    SELECT max(woken_at) FROM wakes WHERE account_id = $1 AND woken_at <= $3
) AND (w.slept_at IS NULL OR w.slept_at >= $3);

-- name: purge
-- Forgets at most $2 wakes from before $1.
DELETE FROM wakes WHERE (account_id, woken_at) IN (
    SELECT account_id, woken_at FROM wakes WHERE woken_at < $1 ORDER BY woken_at LIMIT $2
);
