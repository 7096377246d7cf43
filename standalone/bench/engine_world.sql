-- The world of the benches of the engine: linked accounts, one user each, and messages to be sent.

-- name: add_accounts
-- $1 users  $2 accounts  $3 phones
WITH people AS (
    INSERT INTO users (id, email, zone) SELECT id, id || '@example.org', 'UTC' FROM unnest($1::uuid[]) AS made (id)
)
INSERT INTO accounts (id, user_id, link, jid, phone, wrapped_key, names_synced_at, last_hot_at)
SELECT account, person, 'LINKED', phone || ':1@s.whatsapp.net', phone, '\x00', now(), now()
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS made (person, account, phone);

-- name: add_messages
-- $1 schedules  $2 messages  $3 users  $4 accounts  $5 due instants  $6 recipient  $7 sealed body
WITH made AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[])
        AS made (schedule, message, person, account, due_at)
), rules AS (
    INSERT INTO schedules
        (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, content_key, body)
    SELECT schedule, person, account, $6, 'UTC', 7200, 'local', 4000000000, '\x00', $7 FROM made
), noted AS (
    INSERT INTO changes (message_id, event) SELECT message, 'created' FROM made
)
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)
SELECT message, schedule, 1, person, account, $6, due_at FROM made;

-- name: states
-- How many messages are in each state.
SELECT state, count(*) AS messages FROM messages GROUP BY state;
