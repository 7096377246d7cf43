-- The world of `bench web`: users who are watched, one account each, and messages to look at.

-- name: add_user
-- $1 id  $2 e-mail address
INSERT INTO users (id, email, zone) VALUES ($1, $2, 'Europe/Berlin');

-- name: add_account
-- $1 id  $2 user  $3 phone
INSERT INTO accounts (id, user_id, link, phone, name, wrapped_key) VALUES ($1, $2, 'LINKED', $3, 'Bench', '\x00');

-- name: add_message
-- $1 schedule  $2 message  $3 user  $4 account  $5 due
WITH rule AS (
    INSERT INTO schedules
        (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, content_key, body)
    VALUES ($1, $3, $4, '447700900002@s.whatsapp.net', 'Europe/Berlin', 7200, 'bench', 0, '\x00', '\x00')
    RETURNING id
)
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)
SELECT $2, id, 1, $3, $4, '447700900002@s.whatsapp.net', $5 FROM rule;
