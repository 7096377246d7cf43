-- What a user changes about a message. All of it happens under the lock of the account, so that no two changes of one
-- account interleave and its link holds still; then under the lock of the message, which the engine's claim respects.

-- name: lock_account_of
-- $1 message  $2 user
SELECT a.id, a.link FROM messages m JOIN accounts a ON a.id = m.account_id
WHERE m.id = $1 AND m.user_id = $2 FOR NO KEY UPDATE OF a

-- name: lock_message
-- $1 message
SELECT m.state, m.due_at, m.account_id, m.schedule_id, s.window_s + s.late_limit_s AS late_limit_s, s.not_after_s
FROM messages m JOIN schedules s ON s.id = m.schedule_id WHERE m.id = $1 FOR UPDATE OF m

-- name: count_open
-- $1 account
SELECT count(*) FROM messages
WHERE account_id = $1 AND state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED')

-- name: change_message
-- $1 message, locked  $2 its new state  $3 reason  $4 due
UPDATE messages SET state = $2, reason = $3, due_at = $4, not_before = NULL, updated_at = now() WHERE id = $1

-- name: change_schedule
-- $1 schedule  $2 states from which this may start  $3 the state that it leads to
UPDATE schedules SET state = $3 WHERE id = $1 AND state = ANY ($2::text[])

-- name: make_exact
-- $1 schedule  It leaves at its instant from now on.
UPDATE schedules SET window_s = 0 WHERE id = $1

-- name: add_change
-- $1 message  $2 event  $3 reason
INSERT INTO changes (message_id, event, reason) VALUES ($1, $2, $3)

-- name: sealing_of
-- $1 schedule  $2 user
SELECT s.account_id AS account, s.recipient, a.wrapped_key FROM schedules s JOIN accounts a ON a.id = s.account_id
WHERE s.id = $1 AND s.user_id = $2

-- name: lock_account_of_schedule
-- $1 schedule  $2 user
SELECT a.id FROM schedules s JOIN accounts a ON a.id = s.account_id
WHERE s.id = $1 AND s.user_id = $2 FOR NO KEY UPDATE OF a

-- name: lock_waiting
-- $1 schedule  $2 states in which a message waits
SELECT m.id, m.state, m.due_at, s.window_s + s.late_limit_s AS late_limit_s FROM messages m JOIN schedules s ON s.id = m.schedule_id
WHERE m.schedule_id = $1 AND m.state = ANY ($2::text[]) ORDER BY m.id FOR UPDATE OF m

-- name: change_seal
-- $1 schedule  $2 environment  $3 not after (s)  $4 sealed content key  $5 sealed body  $6, $7 the content key under a
-- viewing key, and which, or NULL: that of the old text opens no other. Gives nothing when it has that body.
UPDATE schedules SET environment = $2, not_after_s = $3, content_key = $4, body = $5, viewing = $6, viewing_key = $7
WHERE id = $1 AND body <> $5 RETURNING id
