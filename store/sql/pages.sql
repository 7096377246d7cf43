-- name: accounts_of
-- $1 user
SELECT id, link, link_reason, link_changed_at, banned_until, phone, name, wish, pair_phone, contacts,
       names_synced_at, last_hot_at, phone_seen_at, phone_days, lead_ms, backoff_until, parked_until,
       cold_until, sends_until, stopped_at IS NOT NULL AS stopped
FROM accounts WHERE user_id = $1 ORDER BY created_at, id

-- name: account_of
-- $1 account  $2 user
SELECT id, link, link_reason, link_changed_at, banned_until, phone, name, wish, pair_phone, contacts,
       names_synced_at, last_hot_at, phone_seen_at, phone_days, lead_ms, backoff_until, parked_until,
       cold_until, sends_until, stopped_at IS NOT NULL AS stopped
FROM accounts WHERE id = $1 AND user_id = $2

-- name: next_due_of_account
-- $1 account
SELECT min(due_at) AS at, count(*) AS waiting FROM messages
WHERE account_id = $1 AND state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED')

-- name: first_to_leave
-- $1 account  What leaves first, if nothing stands in its way.
SELECT m.due_at, m.recipient, c.name AS recipient_name
FROM messages m LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.account_id = $1 AND m.state IN ('SCHEDULED', 'ARMED', 'SENDING') ORDER BY m.due_at, m.id LIMIT 1

-- name: left_lately
-- $1 account  $2 user  $3 since  $4 at most  One with a window was due when that closed.
SELECT m.due_at + make_interval(secs => s.window_s) AS due_at, coalesce(m.left_at, m.sent_at) AS left_at, m.recipient,
       c.name AS recipient_name
FROM messages m JOIN schedules s ON s.id = m.schedule_id LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.account_id = $1 AND m.user_id = $2 AND m.due_at >= $3 AND m.sent_at IS NOT NULL
ORDER BY m.due_at DESC, m.id DESC LIMIT $4

-- name: message_of
-- $1 message  $2 user
SELECT m.id, m.account_id, m.recipient, m.due_at, m.state, m.reason, m.left_at, m.sent_at, m.delivered_at, m.read_at,
       m.updated_at, s.window_s, s.late_limit_s, s.not_after_s, octet_length(s.body) AS body_bytes, c.name AS recipient_name,
       coalesce(c.members, 0) AS members, coalesce(c.established, false) AS established,
       coalesce(c.can_send, true) AS can_send
FROM messages m JOIN schedules s ON s.id = m.schedule_id
     LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.id = $1 AND m.user_id = $2

-- name: message_of_schedule
-- $1 schedule  $2 user
SELECT id FROM messages WHERE schedule_id = $1 AND user_id = $2 ORDER BY occurrence LIMIT 1

-- name: sealed_of
-- $1 message  $2 user
SELECT s.id AS schedule_id, m.begun_at, s.late_limit_s, octet_length(s.body) AS body_bytes, s.zone, s.environment, s.not_after_s, a.phone, a.name
FROM messages m JOIN schedules s ON s.id = m.schedule_id JOIN accounts a ON a.id = m.account_id
WHERE m.id = $1 AND m.user_id = $2

-- name: newest_of
-- $1 schedule  $2 user
SELECT id FROM messages WHERE schedule_id = $1 AND user_id = $2 ORDER BY occurrence DESC LIMIT 1

-- name: changes_of
-- $1 message  $2 user  $3 at most  $4 event of the first step: its schedule was made
WITH asked AS (SELECT id, schedule_id FROM messages WHERE id = $1 AND user_id = $2)
SELECT s.created_at AS at, $4::text AS event, '' AS reason FROM asked JOIN schedules s ON s.id = asked.schedule_id
UNION ALL
SELECT c.at, c.event, c.reason FROM asked JOIN changes c ON c.message_id = asked.id
ORDER BY at, event LIMIT $3

-- name: search_contacts
-- Contacts that are looked for: beginnings of words first, then whom one has sent to lately, then by name; people
-- without a name last. Established ones come before others when something is looked for.
-- $1 account  $2 user  $3 LIKE patterns that must all be found  $4 the same as beginnings of words
-- $5 LIKE pattern of a number, NULL for none  $6 newest sends that count  $7 at most
WITH recent AS (
    SELECT s.recipient, max(s.sent_at) AS sent_at
    FROM (SELECT recipient, sent_at FROM messages
          WHERE account_id = $1 AND sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT $6) s
    GROUP BY s.recipient
)
SELECT c.jid, c.kind, c.name, c.members, c.can_send, c.established, c.picture_id
FROM accounts a JOIN contacts c ON c.account_id = a.id LEFT JOIN recent r ON r.recipient = c.jid
WHERE a.id = $1 AND a.user_id = $2 AND (c.search LIKE ALL ($3::text[]) OR c.search LIKE $5)
ORDER BY (' ' || c.search LIKE ALL ($4::text[])) DESC, r.sent_at DESC NULLS LAST,
         (c.established AND $3::text[] <> '{}') DESC, c.name LIKE '+%', c.search, c.jid
LIMIT $7

-- name: contact_of
-- $1 account  $2 user  $3 JID
SELECT c.jid, c.kind, c.name, c.members, c.can_send, c.established, c.picture_id
FROM contacts c JOIN accounts a ON a.id = c.account_id
WHERE a.id = $1 AND a.user_id = $2 AND c.jid = $3

-- name: picture_of
-- $1 account  $2 user  $3 JID  $4 picture id  $5 most bytes
SELECT c.picture
FROM contacts c JOIN accounts a ON a.id = c.account_id
WHERE a.id = $1 AND a.user_id = $2 AND c.jid = $3 AND c.picture_id = $4 AND octet_length(c.picture) <= $5
