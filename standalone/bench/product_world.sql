-- What benches of the whole product ask the database.

-- name: furnish
-- The sends of accounts $1 are not spaced, and their first syncs are over: a bench has no time.
UPDATE accounts SET paced = false, names_synced_at = coalesce(names_synced_at, now()) WHERE id = ANY($1::uuid[]);

-- name: linked
-- Which of the accounts $1 are linked and have contacts.
SELECT id FROM accounts WHERE id = ANY($1::uuid[]) AND link = 'LINKED' AND contacts > 0;

-- name: states
-- What the product says of each message.
SELECT id, state, left_at FROM messages;

-- name: waiting
-- How many messages have no end yet.
SELECT count(*) FROM messages WHERE state IN ('SCHEDULED', 'HELD', 'BLOCKED', 'ARMED', 'SENDING');

-- name: sending
-- Accounts with a send under way.
SELECT DISTINCT account_id FROM messages WHERE state = 'SENDING';

-- name: in_hand
-- What a dead supervisor had in hand and should be on its way by now: sends under way, and messages that are due, of
-- accounts that are not made to wait.
SELECT m.id, m.account_id FROM messages m JOIN accounts a ON a.id = m.account_id
WHERE (m.state = 'SENDING' OR (m.state = 'ARMED' AND greatest(m.due_at, m.not_before) <= now()))
  AND greatest(a.backoff_until, a.parked_until, '-infinity') <= now();

-- name: history
-- All that is known of message $1.
SELECT to_char(at, 'HH24:MI:SS.MS') || ' ' || event || ' ' || reason AS told FROM changes WHERE message_id = $1
UNION ALL
SELECT to_char(begun_at, 'HH24:MI:SS.MS') || ' attempt ' || number || ': ' || outcome || ' ' || trouble || ' id ' || wa_id
       || ' store ' || store_version || ' ended ' || coalesce(to_char(ended_at, 'HH24:MI:SS.MS'), 'never')
FROM attempts WHERE message_id = $1 ORDER BY told;

-- name: slept
-- How many wakes of each account have ended.
SELECT account_id, count(*) AS wakes FROM wakes WHERE slept_at IS NOT NULL GROUP BY account_id;

-- name: connections
-- Connections but those of application $1.
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> $1;
