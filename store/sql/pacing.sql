-- What the rules of domain/pacing.py are asked with. Times in Unix ms.

-- name: standing
-- Of the accounts $1 those whose sends are spaced.
SELECT id, coalesce((extract(epoch FROM new_since) * 1000)::bigint, 0) AS new_since_ms,
       coalesce((extract(epoch FROM cold_until) * 1000)::bigint, 0) AS cold_until_ms,
       coalesce((extract(epoch FROM sends_until) * 1000)::bigint, 0) AS all_until_ms,
       coalesce((extract(epoch FROM eased_until) * 1000)::bigint, 0) AS eased_until_ms
FROM accounts WHERE id = ANY($1::uuid[]) AND paced;

-- name: sends
-- What left the accounts $1 since $2, or may have, and what they have in hand.
SELECT t.account_id, m.recipient AS chat, t.reach, (extract(epoch FROM t.begun_at) * 1000)::bigint AS at_ms
FROM attempts t JOIN messages m ON m.id = t.message_id
WHERE t.account_id = ANY($1::uuid[]) AND t.begun_at > $2 AND t.outcome <> 'NOT_SENT'
UNION ALL
SELECT m.account_id, m.recipient, reach_of(m.recipient, c.name, c.established),
       (extract(epoch FROM greatest(m.due_at, m.not_before)) * 1000)::bigint
FROM messages m LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.account_id = ANY($1::uuid[]) AND m.state = 'ARMED';

-- name: waiting
-- What waits on the accounts $1 and may leave until $2, those first that may leave first, at most $3 of them; with how late
-- each may be. What was spaced before is spaced anew, from its own time on.
SELECT m.account_id, m.id, m.recipient AS chat, reach_of(m.recipient, c.name, c.established) AS reach,
       (extract(epoch FROM CASE WHEN m.reason = 'spaced' THEN m.due_at ELSE greatest(m.due_at, m.not_before) END)
        * 1000)::bigint AS from_ms,
       (extract(epoch FROM m.due_at + make_interval(secs => s.window_s + s.late_limit_s)) * 1000)::bigint AS last_ms
FROM messages m JOIN schedules s ON s.id = m.schedule_id
     LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.account_id = ANY($1::uuid[]) AND m.state = 'SCHEDULED' AND greatest(m.due_at, m.not_before) <= $2
ORDER BY greatest(m.due_at, m.not_before), m.id LIMIT $3;

-- name: in_line
-- What waits on the accounts $1 and may leave until ($2, $3), its own instant and id, in this order, at most $4 of them: all
-- that can be in the way of the last of them.
SELECT m.account_id, m.id, m.recipient AS chat, reach_of(m.recipient, c.name, c.established) AS reach,
       (extract(epoch FROM own.at) * 1000)::bigint AS from_ms,
       (extract(epoch FROM m.due_at + make_interval(secs => s.window_s + s.late_limit_s)) * 1000)::bigint AS last_ms
FROM messages m JOIN schedules s ON s.id = m.schedule_id
     LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
     CROSS JOIN LATERAL (
         SELECT CASE WHEN m.reason = 'spaced' THEN m.due_at ELSE greatest(m.due_at, m.not_before) END AS at
     ) AS own
WHERE m.account_id = ANY($1::uuid[]) AND m.state = 'SCHEDULED' AND (own.at, m.id) <= ($2, $3)
ORDER BY own.at, m.id LIMIT $4;

-- name: reach
-- Who $2 is to account $1.
SELECT reach_of($2, c.name, c.established) FROM (SELECT 1) AS one
LEFT JOIN contacts c ON c.account_id = $1 AND c.jid = $2;

-- name: defer
-- The messages $1 leave at the instants $2 and not before: $3 says why. Those that somebody has changed meanwhile stay.
WITH locked AS (
    SELECT id FROM messages WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
), deferred AS (
    UPDATE messages m SET not_before = later.at, reason = $3, updated_at = now()
    FROM locked JOIN unnest($1::uuid[], $2::timestamptz[]) AS later (id, at) ON later.id = locked.id
    WHERE m.id = later.id AND m.state = 'SCHEDULED' AND greatest(m.due_at, m.not_before) < later.at
    RETURNING m.id, m.user_id
)
SELECT id, user_id FROM deferred;

-- name: note_refusal
-- WhatsApp has refused a message of account $1 of epoch $2.  $3 strangers wait until  $4 all wait until (NULL: they do not)
-- $5 refusals in a row  $6 pauses for strangers of late
UPDATE accounts
SET cold_until = coalesce(greatest(cold_until, $3), cold_until), sends_until = coalesce(greatest(sends_until, $4), sends_until),
    refusals = $5, cold_pauses = $6
WHERE id = $1 AND epoch = $2 RETURNING user_id;

-- name: restraint_of
-- How often account $1 was refused in a row, and how many pauses for strangers count, those that ended before $2 apart.
SELECT refusals, CASE WHEN cold_until > $2 THEN cold_pauses ELSE 0 END AS cold_pauses FROM accounts WHERE id = $1;

-- name: forgive
-- A message of account $1 of epoch $2 was accepted.
UPDATE accounts SET refusals = 0 WHERE id = $1 AND epoch = $2 AND refusals > 0;
