-- name: add_account
-- $1 id  $2 user  $3 wrapped key  $4 most accounts a user may have
-- Gives the id; nothing when there are too many or the id is taken. The user's row is locked, so that a count holds.
WITH owner AS (SELECT id FROM users WHERE id = $2 AND deleting_at IS NULL FOR UPDATE)
INSERT INTO accounts (id, user_id, wrapped_key)
SELECT $1, owner.id, $3 FROM owner WHERE (SELECT count(*) FROM accounts WHERE user_id = $2) < $4
ON CONFLICT (id) DO NOTHING
RETURNING id

-- name: account_owner
-- $1 account
SELECT user_id FROM accounts WHERE id = $1

-- name: wish_pairing
-- $1 account  $2 user  $3 links from which this may start  $4 the link that it leads to  $5 phone digits, '' for QR
-- The instant of the wish is what tells one try from the next: QR codes that are being shown already go on, a code to
-- be typed is asked for anew.
UPDATE accounts
SET link = $4, link_reason = '', link_changed_at = now(), wish = 'pair', pair_phone = $5,
    wished_at = CASE WHEN wish = 'pair' AND pair_phone = '' AND $5 = '' THEN wished_at ELSE now() END
WHERE id = $1 AND user_id = $2 AND link = ANY ($3::text[])
RETURNING id

-- name: wish_unlink
-- $1 account  $2 user  $3 links from which this may start
UPDATE accounts SET wish = 'unlink', wished_at = now()
WHERE id = $1 AND user_id = $2 AND link = ANY ($3::text[])
RETURNING id

-- name: wish_wake
-- $1 account  $2 user  $3 links with which it can be woken
-- Not while it waits; an unlinking that is wished already stays wished.
UPDATE accounts SET wish = 'sync', wished_at = now()
WHERE id = $1 AND user_id = $2 AND link = ANY ($3::text[]) AND wish IN ('', 'sync')
  AND greatest(backoff_until, parked_until, '-infinity') <= now() AND stopped_at IS NULL
RETURNING id

-- name: woken
-- $1 account  $2 user  $3 how far back (s)  $4 at most so many
-- Its wakes that count, newest first, in Unix ms; none where sends are not spaced.
SELECT (extract(epoch FROM w.woken_at) * 1000)::bigint AS woken_ms
FROM wakes w JOIN accounts a ON a.id = w.account_id
WHERE a.id = $1 AND a.user_id = $2 AND a.paced AND w.woken_at > now() - make_interval(secs => $3::float8)
ORDER BY w.woken_at DESC LIMIT $4

-- name: link_of
-- $1 account  $2 user
SELECT link FROM accounts WHERE id = $1 AND user_id = $2

-- name: notify_wish
-- $1 the account, as text
SELECT pg_notify('autosendr_wishes', $1)
