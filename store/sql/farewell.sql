-- A person leaves: texts, people and history go at once, the phones as soon as WhatsApp has unlinked them.

-- name: lock_accounts
-- Nothing of the accounts of user $1 passes the gate until the end of the transaction.
SELECT id, link FROM accounts WHERE user_id = $1 ORDER BY id FOR UPDATE;

-- name: leaving_now
-- Whether a message of user $1 has passed the gate since $2: it may be on its way at this moment.
SELECT EXISTS (SELECT 1 FROM messages WHERE user_id = $1 AND state = 'SENDING' AND begun_at > $2);

-- name: mark
-- The user $1 has confirmed. The address $2 stands for nobody, so that theirs is free again.
UPDATE users SET email = $2, deleting_at = coalesce(deleting_at, now()) WHERE id = $1 RETURNING id;

-- name: drop_schedules
-- All schedules of user $1, with their messages, texts and history.
DELETE FROM schedules WHERE user_id = $1;

-- name: drop_people
-- Names, pictures, and what the sessions of user $1 did.
WITH theirs AS (
    SELECT id FROM accounts WHERE user_id = $1
), people AS (
    DELETE FROM contacts c USING theirs WHERE c.account_id = theirs.id
), receipts AS (
    DELETE FROM stray_receipts r USING theirs WHERE r.account_id = theirs.id
), strangers AS (
    DELETE FROM confirmed_strangers s USING theirs WHERE s.account_id = theirs.id
)
DELETE FROM wakes w USING theirs WHERE w.account_id = theirs.id;

-- name: drop_key
-- The viewing key of user $1.
DELETE FROM viewing_keys WHERE user_id = $1;

-- name: unlink
-- Every account of whoever is leaving is unlinked (from $1) or given up while linking (from $2, to $3); returns which are to
-- be told of. Repeated: an account that was linked meanwhile is found by the next turn.
WITH theirs AS (
    SELECT a.id FROM accounts a JOIN users u ON u.id = a.user_id
    WHERE u.deleting_at IS NOT NULL
      AND ((a.link = ANY($1::text[]) AND a.wish <> 'unlink') OR a.link = ANY($2::text[]))
    ORDER BY a.id FOR NO KEY UPDATE OF a
)
UPDATE accounts a
SET wish = CASE WHEN a.link = ANY($1::text[]) THEN 'unlink' ELSE '' END,
    wished_at = CASE WHEN a.link = ANY($1::text[]) THEN now() END,
    link = CASE WHEN a.link = ANY($2::text[]) THEN $3 ELSE a.link END
FROM theirs WHERE a.id = theirs.id
RETURNING a.id;

-- name: finish
-- At most $3 users who are leaving and whose phones are all unlinked ($1), or who have waited since before $2, are gone.
DELETE FROM users WHERE id IN (
    SELECT u.id FROM users u
    WHERE u.deleting_at IS NOT NULL AND (u.deleting_at < $2 OR NOT EXISTS (
        SELECT 1 FROM accounts a WHERE a.user_id = u.id AND (a.link <> $1 OR a.wish <> '')
    ))
    ORDER BY u.deleting_at LIMIT $3
)
RETURNING id;

-- name: notify_wish
-- $1 the account, as text
SELECT pg_notify('autosendr_wishes', $1);
