-- The engine's half of the messages table: every transition names the states that it may start from (domain/message.py).

-- name: due_ids
-- What is due until $1 and not owned by another node than $2, earliest first, at most $3: for when Redis is away.
SELECT m.id, (extract(epoch FROM m.due_at) * 1000)::bigint AS due_ms
FROM messages m JOIN accounts a ON a.id = m.account_id
WHERE m.state = 'SCHEDULED' AND m.due_at <= $1 AND (m.not_before IS NULL OR m.not_before <= $1)
  AND (a.owner = '' OR a.owner = $2 OR a.owned_until <= now())
ORDER BY m.due_at LIMIT $3;

-- name: next_due
-- The earliest instant after $1 at which something becomes due.
SELECT (extract(epoch FROM min(due_at)) * 1000)::bigint AS due_ms FROM messages
WHERE state = 'SCHEDULED' AND due_at > $1;

-- name: horizon
-- A page of what is due until $1, for the due set in Redis: after instant $2 and id $3, at most $4.
SELECT id, due_at, (extract(epoch FROM greatest(due_at, not_before)) * 1000)::bigint AS due_ms
FROM messages
WHERE state = 'SCHEDULED' AND due_at <= $1 AND (due_at, id) > ($2, $3)
ORDER BY due_at, id LIMIT $4;

-- name: look
-- What the claimed messages $1 are now, and who owns their accounts.
SELECT m.id, m.account_id, m.state, a.link, a.owner, (a.owned_until > now()) AS owned, a.paced
FROM messages m JOIN accounts a ON a.id = m.account_id WHERE m.id = ANY($1::uuid[]);

-- name: arm
-- Arms those of $1 that are in one of $2, due until $5, and whose account node $4 owns and can send.  $3 after
-- Found and locked by id alone, and only then looked at: asked for by state too, the planner may read all that is armed.
WITH locked AS (
    SELECT id, account_id, schedule_id, state, due_at, not_before FROM messages
    WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED
), picked AS (
    SELECT m.id, a.epoch, s.window_s, s.window_s + s.late_limit_s AS late_limit_s FROM locked m
    JOIN accounts a ON a.id = m.account_id
    JOIN schedules s ON s.id = m.schedule_id
    WHERE m.state = ANY($2::text[]) AND a.owner = $4 AND a.owned_until > now()
      AND a.link = 'LINKED' AND greatest(m.due_at, m.not_before) <= $5
), armed AS (
    UPDATE messages m SET state = $3, epoch = picked.epoch, reason = '', updated_at = now()
    FROM picked WHERE m.id = picked.id
    RETURNING m.id, m.user_id, m.account_id, m.recipient, m.epoch, m.attempts, picked.window_s, picked.late_limit_s,
              (extract(epoch FROM m.due_at) * 1000)::bigint AS due_ms,
              (extract(epoch FROM greatest(m.due_at, m.not_before)) * 1000)::bigint AS fire_ms
), noted AS (
    INSERT INTO changes (message_id, event) SELECT id, $6 FROM armed
)
SELECT * FROM armed ORDER BY fire_ms, id;

-- name: move
-- Moves those of $1 that are in one of $3 and of account epoch $2 to $4.  $5 event  $6 reason
WITH picked AS (
    SELECT m.id FROM messages m JOIN accounts a ON a.id = m.account_id
    WHERE m.id = ANY($1::uuid[]) AND m.state = ANY($3::text[]) AND a.epoch = $2
    ORDER BY m.id FOR UPDATE OF m
), moved AS (
    UPDATE messages m SET state = $4, reason = $6, updated_at = now()
    FROM picked WHERE m.id = picked.id RETURNING m.id, m.user_id, m.schedule_id
), noted AS (
    INSERT INTO changes (message_id, event, reason) SELECT id, $5, $6 FROM moved
)
SELECT id, user_id, schedule_id FROM moved;

-- name: stale_armed
-- Messages of account $1 that an earlier epoch than $2 left armed ($3).
SELECT id FROM messages WHERE account_id = $1 AND state = $3 AND epoch < $2;

-- name: openable
-- All messages of account $1 in one of the states $2 with how late each may be, earliest first.
SELECT m.id, (extract(epoch FROM m.due_at) * 1000)::bigint AS due_ms, s.window_s + s.late_limit_s AS late_limit_s
FROM messages m JOIN schedules s ON s.id = m.schedule_id
WHERE m.account_id = $1 AND m.state = ANY($2::text[]) ORDER BY m.due_at, m.id;

-- name: next_of_accounts
-- The next instant at which each of the accounts $1 has something to send.
SELECT account_id, (extract(epoch FROM min(greatest(due_at, not_before))) * 1000)::bigint AS due_ms FROM messages
WHERE account_id = ANY($1::uuid[]) AND state = 'SCHEDULED' GROUP BY account_id;

-- name: exhaust
-- Schedules of $1 none of whose messages is still to come go from one of $2 to $3. Their messages are found by schedule, and
-- only then looked at: asked for by state too, the planner may read all messages that are still to come.
UPDATE schedules s SET state = $3
WHERE s.id = ANY($1::uuid[]) AND s.state = ANY($2::text[])
  AND (SELECT bool_or(m.state IN ('SCHEDULED', 'HELD', 'BLOCKED', 'ARMED', 'SENDING'))
       FROM messages m WHERE m.schedule_id = s.id) IS NOT true;

-- name: miss_waiting
-- Messages in one of $1 whose account cannot send and that are late at $3 go to $2, at most $6; nobody has them in hand.
-- $4 event  $5 reason
WITH picked AS (
    SELECT m.id FROM messages m JOIN schedules s ON s.id = m.schedule_id
    WHERE m.state = ANY($1::text[]) AND m.due_at + make_interval(secs => s.window_s + s.late_limit_s) < $3::timestamptz
    ORDER BY m.id LIMIT $6 FOR UPDATE OF m SKIP LOCKED
), moved AS (
    UPDATE messages m SET state = $2, reason = $5, updated_at = now()
    FROM picked WHERE m.id = picked.id RETURNING m.id, m.user_id, m.schedule_id
), noted AS (
    INSERT INTO changes (message_id, event, reason) SELECT id, $4, $5 FROM moved
)
SELECT id, user_id, schedule_id FROM moved;
