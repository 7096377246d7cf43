-- name: account_key
-- $1 account  $2 user
SELECT link, wrapped_key FROM accounts WHERE id = $1 AND user_id = $2

-- name: lock_account
-- $1 account  $2 user  Its row stays locked, so that the count of open messages cannot be raced.
-- One that is being unlinked takes no message any more.
SELECT CASE WHEN wish = 'unlink' THEN 'UNLINKED' ELSE link END AS link FROM accounts WHERE id = $1 AND user_id = $2 FOR UPDATE

-- name: count_open
-- $1 account
SELECT count(*) FROM messages
WHERE account_id = $1 AND state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED')

-- name: find_recipient
-- $1 account  $2 JID
SELECT can_send FROM contacts WHERE account_id = $1 AND jid = $2

-- name: add_schedule
-- $1 id  $2 user  $3 account  $4 recipient  $5 zone  $6 late limit (s)  $7 environment  $8 not after (s)
-- $9 sealed content key  $10 sealed body  $11, $12 the content key under a viewing key, and which, or NULL.
-- Gives nothing when the id is taken.
INSERT INTO schedules
    (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, content_key, body,
     viewing, viewing_key)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO NOTHING
RETURNING id

-- name: add_message
-- $1 id  $2 schedule  $3 user  $4 account  $5 recipient  $6 due
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)
VALUES ($1, $2, 1, $3, $4, $5, $6)

-- name: add_change
-- $1 message  $2 event  $3 reason
INSERT INTO changes (message_id, event, reason) VALUES ($1, $2, $3)
