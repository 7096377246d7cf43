-- What a user takes along. Pages by key, so that no connection is held while a slow reader reads.

-- name: profile
-- $1 user
SELECT email, zone, zone_chosen, theme, letter_keys, created_at FROM users WHERE id = $1

-- name: accounts
-- $1 user
SELECT id, link, link_reason, link_changed_at, banned_until, phone, name, contacts, names_synced_at, last_hot_at,
       phone_seen_at, created_at
FROM accounts WHERE user_id = $1 ORDER BY id

-- name: viewing_keys
-- $1 user
SELECT id, wrapped, created_at FROM viewing_keys WHERE user_id = $1

-- name: contacts
-- $1 user  $2, $3 account and JID of the last one  $4 at most
SELECT c.account_id, c.jid, c.kind, c.name, c.push_name, c.members
FROM contacts c JOIN accounts a ON a.id = c.account_id
WHERE a.user_id = $1 AND (c.account_id, c.jid) > ($2, $3) ORDER BY c.account_id, c.jid LIMIT $4

-- name: schedules
-- $1 user  $2 the last one  $3 at most
SELECT id, account_id, recipient, state, zone, window_s, late_limit_s, environment, not_after_s, content_key, body, viewing,
       viewing_key, created_at
FROM schedules WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: messages
-- $1 user  $2 the last one  $3 at most
SELECT id, schedule_id, occurrence, account_id, recipient, due_at, state, reason, attempts, wa_id, left_at, sent_at,
       delivered_at, read_at, updated_at
FROM messages WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: changes
-- Of messages $2 of user $1.  $3 event of the first step: its schedule was made
WITH asked AS (SELECT id, schedule_id FROM messages WHERE user_id = $1 AND id = ANY ($2::uuid[]))
SELECT asked.id AS message_id, s.created_at AS at, $3::text AS event, '' AS reason
FROM asked JOIN schedules s ON s.id = asked.schedule_id
UNION ALL
SELECT c.message_id, c.at, c.event, c.reason FROM asked JOIN changes c ON c.message_id = asked.id
ORDER BY message_id, at, event

-- name: wakes
-- $1 user  $2, $3 account and instant of the last one  $4 at most
SELECT w.account_id, w.woken_at, w.ready_at, w.slept_at, w.reason, w.ending
FROM wakes w JOIN accounts a ON a.id = w.account_id
WHERE a.user_id = $1 AND (w.account_id, w.woken_at) > ($2, $3) ORDER BY w.account_id, w.woken_at LIMIT $4
