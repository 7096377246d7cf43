-- What the first page lists. Order: due instant, id. Every query names the user.

-- name: to_come
-- What has not left or needs a person, after ($2, $3), soonest first.  $1 user  $2 instant  $3 message  $4 at most
SELECT m.id, m.account_id, m.recipient, m.due_at, m.state, m.reason, m.left_at, m.sent_at, m.delivered_at, m.read_at,
       m.updated_at, s.window_s, s.late_limit_s, s.not_after_s, octet_length(s.body) AS body_bytes, c.name AS recipient_name,
       coalesce(c.members, 0) AS members, coalesce(c.established, false) AS established,
       coalesce(c.can_send, true) AS can_send
FROM messages m JOIN schedules s ON s.id = m.schedule_id
     LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.user_id = $1 AND (m.due_at, m.id) > ($2, $3)
  AND m.state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED', 'UNCONFIRMED')
ORDER BY m.due_at, m.id LIMIT $4

-- name: gone_between
-- What has left or will not, due from $2 until before $3, newest first.  $1 user  $4 at most
SELECT m.id, m.account_id, m.recipient, m.due_at, m.state, m.reason, m.left_at, m.sent_at, m.delivered_at, m.read_at,
       m.updated_at, s.window_s, s.late_limit_s, s.not_after_s, octet_length(s.body) AS body_bytes, c.name AS recipient_name,
       coalesce(c.members, 0) AS members, coalesce(c.established, false) AS established,
       coalesce(c.can_send, true) AS can_send
FROM messages m JOIN schedules s ON s.id = m.schedule_id
     LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.user_id = $1 AND m.due_at >= $2 AND m.due_at < $3
  AND m.state IN ('SENT', 'DELIVERED', 'READ', 'MISSED', 'FAILED', 'CANCELLED')
ORDER BY m.due_at DESC, m.id DESC LIMIT $4

-- name: day
-- Every message due from $2 until before $3, for the line of the day.  $1 user  $4 at most
SELECT id, due_at, state FROM messages
WHERE user_id = $1 AND due_at >= $2 AND due_at < $3 AND state <> 'CANCELLED' ORDER BY due_at, id LIMIT $4

-- name: newer
-- How many messages to come were made after message $2: ids grow with time.  $1 user
SELECT count(*) FROM messages
WHERE user_id = $1 AND id > $2 AND state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED', 'UNCONFIRMED')

-- name: waiting
-- For each account of user $1 with messages waiting: how many, and when the first is due.
SELECT account_id, count(*) AS waiting, min(due_at) AS first_at FROM messages
WHERE user_id = $1 AND state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED') GROUP BY account_id

-- name: find_messages
-- Messages to come to somebody who is looked for, soonest first.
-- $1 user  $2 LIKE patterns that must all be found  $3 LIKE pattern of a number, NULL for none  $4 at most
SELECT m.id, m.account_id, m.recipient, m.due_at, m.state, m.reason, m.left_at, m.sent_at, m.delivered_at, m.read_at,
       m.updated_at, s.window_s, s.late_limit_s, s.not_after_s, octet_length(s.body) AS body_bytes, c.name AS recipient_name,
       c.members, c.established, c.can_send
FROM messages m JOIN schedules s ON s.id = m.schedule_id
     JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.user_id = $1 AND (c.search LIKE ALL ($2::text[]) OR c.search LIKE $3)
  AND m.state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED', 'UNCONFIRMED')
ORDER BY m.due_at, m.id LIMIT $4

-- name: find_people
-- People and groups of all accounts of user $1 who are looked for: beginnings of words first, then whom they have
-- written to.  $2 LIKE patterns that must all be found  $3 the same as beginnings of words
-- $4 LIKE pattern of a number, NULL for none  $5 at most
SELECT c.account_id, c.jid, c.kind, c.name, c.members, c.can_send, c.established, c.picture_id
FROM accounts a JOIN contacts c ON c.account_id = a.id
WHERE a.user_id = $1 AND (c.search LIKE ALL ($2::text[]) OR c.search LIKE $4)
ORDER BY (' ' || c.search LIKE ALL ($3::text[])) DESC, c.established DESC, c.name LIKE '+%', c.search, c.jid LIMIT $5
