-- What the engine room shows of everybody. No text, number, name or address of a person is ever among it.

-- name: places
-- Of accounts $1: what they are called, and where each stands among all, from 0.
SELECT id, number, place FROM (
    SELECT id, number, row_number() OVER (ORDER BY number) - 1 AS place FROM accounts
) AS all_of_them WHERE id = ANY($1::uuid[]);

-- name: number_at
-- What the account is called that stands at place $1.
SELECT number FROM accounts ORDER BY number OFFSET $1 LIMIT 1;

-- name: size
-- How many accounts there are.
SELECT count(*) FROM accounts;

-- name: soon
-- Accounts with something to send until $1, the nearest first, at most $2.
SELECT account_id FROM messages WHERE state = 'SCHEDULED' AND due_at < $1
GROUP BY account_id ORDER BY min(due_at) LIMIT $2;

-- name: soon_size
-- How many they are.
SELECT count(DISTINCT account_id) FROM messages WHERE state = 'SCHEDULED' AND due_at < $1;

-- name: resting
-- Accounts that may not wake now: whether for good or parked, and until when. At most $1.
SELECT id, number, stopped_at IS NOT NULL AS stopped, coalesce(parked_until > now(), false) AS parked,
       greatest(backoff_until, parked_until) AS until
FROM accounts
WHERE (backoff_until IS NOT NULL OR parked_until IS NOT NULL OR stopped_at IS NOT NULL)
  AND (stopped_at IS NOT NULL OR greatest(backoff_until, parked_until) > now())
ORDER BY number LIMIT $1;

-- name: crowds
-- Those that are due at one instant until $1, the nearest first, at most $2.
SELECT (extract(epoch FROM instant) * 1000)::bigint AS due_ms, count(DISTINCT account_id) AS accounts, count(*) AS messages
FROM (
    SELECT greatest(due_at, not_before) AS instant, account_id FROM messages WHERE state = 'SCHEDULED' AND due_at < $1
) AS waiting
GROUP BY instant ORDER BY instant LIMIT $2;

-- name: lead
-- How long a wake takes, on average over accounts that are linked (ms).
SELECT coalesce(avg(lead_ms), $1::integer)::integer FROM accounts WHERE link = 'LINKED';

-- name: record
-- How punctual everybody was since $1. Late: as in record.sql.
SELECT count(late_ms) AS sent, count(*) FILTER (WHERE state = 'MISSED') AS missed,
       coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY late_ms), 0)::bigint AS half_ms,
       coalesce(percentile_disc(0.99) WITHIN GROUP (ORDER BY late_ms), 0)::bigint AS most_ms
FROM (
    SELECT state, CASE WHEN sent_at IS NOT NULL THEN greatest(0, extract(epoch FROM
        coalesce(left_at, sent_at) - due_at) * 1000)::bigint END AS late_ms
    FROM messages WHERE due_at >= $1 AND due_at < now() AND (sent_at IS NOT NULL OR state = 'MISSED')
) AS gone;

-- name: spread
-- How many were how late since $1: a step is a bound in ms of $2, ascending; 0 is below the first.
SELECT width_bucket(greatest(0, extract(epoch FROM coalesce(left_at, sent_at) - due_at) * 1000)::float8, $2::float8[]) AS step,
       count(*) AS messages
FROM messages WHERE due_at >= $1 AND due_at < now() AND sent_at IS NOT NULL
GROUP BY step ORDER BY step;

-- name: account
-- The account that is called $1, without anything that says whose it is.
SELECT a.id, a.number, a.link, a.link_changed_at, a.owner, a.failures, a.restarts, a.lead_ms, a.backoff_until, a.parked_until,
       a.stopped_at, a.last_hot_at, count(m.id) AS waiting, min(m.due_at) AS next_at
FROM accounts a LEFT JOIN messages m ON m.account_id = a.id AND m.state IN ('SCHEDULED', 'ARMED', 'SENDING')
WHERE a.number = $1 GROUP BY a.id;

-- name: latest
-- Those that were at least $2 ms late since $1, the latest first, at most $3: with the wake in which each left, the end of
-- the wake before it, and whom somebody was linking meanwhile. Of account $4 only, unless that is NULL.
SELECT a.number, late.due_at, late.gone_at, late.attempts, w.woken_at, w.ready_at,
       before.slept_at AS before_at, coalesce(before.ending, '') AS before_ending, linking.number AS linking
FROM (
    SELECT m.account_id, greatest(m.due_at, m.not_before) AS due_at, m.attempts, coalesce(m.left_at, m.sent_at) AS gone_at,
           coalesce(m.left_at, m.sent_at) - m.due_at AS lateness
    FROM messages m
    WHERE m.due_at >= $1 AND m.due_at < now() AND m.sent_at IS NOT NULL
      AND ($4::uuid IS NULL OR m.account_id = $4)
      AND coalesce(m.left_at, m.sent_at) - m.due_at >= make_interval(secs => $2::float8 / 1000)
    ORDER BY lateness DESC LIMIT $3
) AS late
JOIN accounts a ON a.id = late.account_id
LEFT JOIN LATERAL (
    SELECT woken_at, ready_at FROM wakes WHERE account_id = a.id AND woken_at <= late.gone_at ORDER BY woken_at DESC LIMIT 1
) AS w ON true
LEFT JOIN LATERAL (
    SELECT slept_at, ending FROM wakes WHERE account_id = a.id AND woken_at < w.woken_at ORDER BY woken_at DESC LIMIT 1
) AS before ON true
LEFT JOIN LATERAL (
    SELECT o.number FROM wakes l JOIN accounts o ON o.id = l.account_id
    WHERE l.reason = 'pairing' AND l.woken_at < w.woken_at AND l.woken_at > w.woken_at - interval '15 minutes'
      AND l.slept_at > late.due_at AND l.account_id <> a.id
    ORDER BY l.woken_at DESC LIMIT 1
) AS linking ON true
ORDER BY late.lateness DESC;
