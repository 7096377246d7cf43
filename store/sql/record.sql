-- How punctual an account was. Late is from the instant that the person chose to the one at which the message was handed
-- over, or where nobody saw that, at which WhatsApp took it (whole seconds); of a message with a window, from that one's end.

-- name: totals
-- Of account $1 of user $2 since $3.
SELECT count(late_ms) AS sent, count(*) FILTER (WHERE state = 'MISSED') AS missed,
       coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY late_ms), 0)::bigint AS half_ms,
       coalesce(percentile_disc(0.99) WITHIN GROUP (ORDER BY late_ms), 0)::bigint AS most_ms
FROM (
    SELECT m.state, CASE WHEN m.sent_at IS NOT NULL THEN greatest(0, extract(epoch FROM
        coalesce(m.left_at, m.sent_at) - m.due_at - make_interval(secs => s.window_s)) * 1000)::bigint END AS late_ms
    FROM messages m JOIN schedules s ON s.id = m.schedule_id WHERE m.user_id = $2 AND m.account_id = $1 AND m.due_at >= $3 AND m.due_at < now()
) AS recent;

-- name: days
-- The slowest message of each day of account $1 of user $2 since $3, by days in zone $4.
SELECT day, max(late_ms) AS slowest_ms
FROM (
    SELECT (m.due_at AT TIME ZONE $4)::date AS day, greatest(0, extract(epoch FROM
        coalesce(m.left_at, m.sent_at) - m.due_at - make_interval(secs => s.window_s)) * 1000)::bigint AS late_ms
    FROM messages m JOIN schedules s ON s.id = m.schedule_id
    WHERE m.user_id = $2 AND m.account_id = $1 AND m.due_at >= $3 AND m.due_at < now() AND m.sent_at IS NOT NULL
) AS recent
GROUP BY day ORDER BY day;
