-- What admins order, and the trail of it: each order is noted in the statement that gives it, or is not given.

-- name: sleep
-- $1 order  $2 admin  $3 number of the account
WITH asked AS (UPDATE accounts SET sleep_at = now() WHERE number = $3 RETURNING id, user_id, number),
noted AS (INSERT INTO orders (id, user_id, act, number) SELECT $1, $2, 'sleep', number FROM asked)
SELECT id, user_id, pg_notify('autosendr_wishes', id::text) FROM asked;

-- name: park
-- The account stays cold until somebody lets it go on.
-- $1 order  $2 admin  $3 number of the account
WITH asked AS (
    UPDATE accounts SET stopped_at = now() WHERE number = $3 AND stopped_at IS NULL RETURNING id, user_id, number
), noted AS (INSERT INTO orders (id, user_id, act, number) SELECT $1, $2, 'park', number FROM asked)
SELECT id, user_id, pg_notify('autosendr_wishes', id::text) FROM asked;

-- name: unpark
-- The account may wake from now on; waits that run end now.
-- $1 order  $2 admin  $3 number of the account
WITH asked AS (
    UPDATE accounts SET stopped_at = NULL, backoff_until = least(backoff_until, now()),
        parked_until = least(parked_until, now())
    WHERE number = $3 AND (stopped_at IS NOT NULL OR greatest(backoff_until, parked_until) > now())
    RETURNING id, user_id, number
), noted AS (INSERT INTO orders (id, user_id, act, number) SELECT $1, $2, 'unpark', number FROM asked)
SELECT id, user_id, pg_notify('autosendr_wishes', id::text) FROM asked;

-- name: drain
-- $1 order  $2 admin  $3 node
WITH asked AS (INSERT INTO drains (node) VALUES ($3) ON CONFLICT DO NOTHING RETURNING node)
INSERT INTO orders (id, user_id, act, node) SELECT $1, $2, 'drain', node FROM asked RETURNING node;

-- name: undrain
-- $1 order  $2 admin  $3 node
WITH asked AS (DELETE FROM drains WHERE node = $3 RETURNING node)
INSERT INTO orders (id, user_id, act, node) SELECT $1, $2, 'undrain', node FROM asked RETURNING node;

-- name: is_drained
-- Whether node $1 shall be empty.
SELECT EXISTS (SELECT 1 FROM drains WHERE node = $1);

-- name: drained
-- All nodes that shall be empty, at most $1.
SELECT node, since FROM drains ORDER BY since LIMIT $1;

-- name: trail
-- What was ordered, newest first, at most $1; of account $2 only, unless that is NULL.
SELECT o.at, coalesce(u.email, '') AS admin, o.act, o.number, o.node
FROM orders o LEFT JOIN users u ON u.id = o.user_id
WHERE $2::bigint IS NULL OR o.number = $2 ORDER BY o.at DESC, o.id DESC LIMIT $1;

-- name: purge
-- Forgets what was ordered before $1.
DELETE FROM orders WHERE at < $1;
