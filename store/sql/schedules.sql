-- name: account_key
-- $1 account  $2 user
SELECT link, wrapped_key FROM accounts WHERE id = $1 AND user_id = $2

-- name: lock_accounts
-- $1 accounts  Their rows stay locked, so that the counts of open messages cannot be raced.
-- One that is being unlinked takes no message any more.
SELECT id, user_id, CASE WHEN wish = 'unlink' THEN 'UNLINKED' ELSE link END AS link
FROM accounts WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE

-- name: lock_free_accounts
-- $1 accounts  The same for those that nobody else has locked.
SELECT id, user_id, CASE WHEN wish = 'unlink' THEN 'UNLINKED' ELSE link END AS link
FROM accounts WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED

-- name: count_open
-- $1 accounts
SELECT account_id, count(*) AS open FROM messages
WHERE account_id = ANY($1::uuid[]) AND state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED')
GROUP BY account_id

-- name: find_recipient
-- $1 account  $2 JID  Whether it may be written to (NULL: it is no contact), and whether it is a stranger, where sends are
-- spaced for the number's sake, whom nobody has confirmed yet.
SELECT c.can_send, a.paced AND reach_of($2, c.name, c.established) = 'cold' AND s.jid IS NULL AS stranger
FROM accounts a LEFT JOIN contacts c ON c.account_id = a.id AND c.jid = $2
     LEFT JOIN confirmed_strangers s ON s.account_id = a.id AND s.jid = $2
WHERE a.id = $1

-- name: confirm
-- The person means to write to the strangers $2 of the accounts $1, in the same order.
INSERT INTO confirmed_strangers (account_id, jid) SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING

-- name: add
-- Schedules $1 with their messages $2, in the same order.  $3 users  $4 accounts  $5 recipients  $6 zones  $7 due
-- $8 environments  $9 not after (s)  $10 sealed content keys  $11 sealed bodies  $12, $13 the content keys under a viewing
-- key, and which, or NULL  $14 late limits (s)  $15 windows (s). Gives the messages that were stored: not those
-- whose id is taken.
WITH asked AS (
    SELECT DISTINCT ON (schedule) * FROM unnest(
        $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
        $9::bigint[], $10::bytea[], $11::bytea[], $12::bytea[], $13::uuid[], $14::integer[],
        $15::integer[]
    ) AS asked (schedule, message, person, account, recipient, zone, due_at, environment, not_after_s, content_key,
                body, viewing, viewing_key, late_limit_s, window_s) ORDER BY schedule
), rules AS (
    INSERT INTO schedules
        (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, content_key, body,
         viewing, viewing_key, window_s)
    SELECT schedule, person, account, recipient, zone, late_limit_s, environment, not_after_s, content_key, body,
           viewing, viewing_key, window_s
    FROM asked
    ON CONFLICT (id) DO NOTHING
    RETURNING id
)
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)
SELECT message, schedule, 1, person, account, recipient, due_at FROM asked JOIN rules ON rules.id = asked.schedule
RETURNING id AS message
