-- name: accounts_of
-- $1 user
SELECT id, link, link_reason, link_changed_at, banned_until, phone, name, wish, pair_phone, contacts,
       names_synced_at, last_hot_at, phone_seen_at, backoff_until, parked_until
FROM accounts WHERE user_id = $1 ORDER BY created_at, id

-- name: account_of
-- $1 account  $2 user
SELECT id, link, link_reason, link_changed_at, banned_until, phone, name, wish, pair_phone, contacts,
       names_synced_at, last_hot_at, phone_seen_at, backoff_until, parked_until
FROM accounts WHERE id = $1 AND user_id = $2

-- name: next_due_of_account
-- $1 account
SELECT min(due_at) AS at, count(*) AS waiting FROM messages
WHERE account_id = $1 AND state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED')

-- name: messages_to_come
-- $1 user  $2 at most
SELECT m.id, m.account_id, m.recipient, m.due_at, m.state, m.reason, m.left_at, m.sent_at, m.delivered_at, m.read_at,
       m.updated_at, c.name AS recipient_name
FROM messages m LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.user_id = $1 AND m.state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED', 'UNCONFIRMED')
ORDER BY m.due_at, m.id LIMIT $2

-- name: messages_gone
-- $1 user  $2 at most
SELECT m.id, m.account_id, m.recipient, m.due_at, m.state, m.reason, m.left_at, m.sent_at, m.delivered_at, m.read_at,
       m.updated_at, c.name AS recipient_name
FROM messages m LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.user_id = $1 AND m.state IN ('SENT', 'DELIVERED', 'READ', 'MISSED', 'FAILED', 'CANCELLED')
ORDER BY m.due_at DESC, m.id DESC LIMIT $2

-- name: message_of
-- $1 message  $2 user
SELECT m.id, m.account_id, m.recipient, m.due_at, m.state, m.reason, m.left_at, m.sent_at, m.delivered_at, m.read_at,
       m.updated_at, c.name AS recipient_name
FROM messages m LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.id = $1 AND m.user_id = $2

-- name: sealed_of
-- $1 message  $2 user
SELECT octet_length(s.body) AS body_bytes, s.zone, s.environment, s.not_after_s, a.phone, a.name
FROM messages m JOIN schedules s ON s.id = m.schedule_id JOIN accounts a ON a.id = m.account_id
WHERE m.id = $1 AND m.user_id = $2

-- name: changes_of
-- $1 message  $2 user  $3 at most
SELECT c.at, c.event, c.reason FROM changes c JOIN messages m ON m.id = c.message_id
WHERE m.id = $1 AND m.user_id = $2 ORDER BY c.at, c.event LIMIT $3

-- name: search_contacts
-- $1 account  $2 user  $3 LIKE pattern over the folded name and digits  $4 folded text, '' for all  $5 at most
SELECT c.jid, c.kind, c.name, c.members, c.can_send, c.established
FROM contacts c JOIN accounts a ON a.id = c.account_id
WHERE a.id = $1 AND a.user_id = $2 AND c.search LIKE $3
ORDER BY (c.search LIKE $4 || '%') DESC, c.established DESC, c.name, c.jid LIMIT $5

-- name: contact_of
-- $1 account  $2 user  $3 JID
SELECT c.jid, c.kind, c.name, c.members, c.can_send, c.established
FROM contacts c JOIN accounts a ON a.id = c.account_id
WHERE a.id = $1 AND a.user_id = $2 AND c.jid = $3
