-- The gate before a send and what comes after it (docs/architecture.md, "The life of a message").

-- name: hold
-- Until the end of the transaction nobody else becomes the owner of accounts $1 or changes their links.
SELECT id FROM accounts WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE;

-- name: hold_quiet
-- The same for those of $1 that nobody else holds, and whose receipts nobody else handles (receipts.serialize).
SELECT id FROM accounts WHERE id = ANY($1::uuid[]) AND pg_try_advisory_xact_lock(hashtextextended(id::text, 7))
ORDER BY id FOR SHARE SKIP LOCKED;

-- name: strangers
-- Which of the accounts $1 have not written with the recipients $2, in the same order, before.
SELECT account FROM unnest($1::uuid[], $2::text[]) AS pair (account, recipient)
WHERE NOT EXISTS (SELECT 1 FROM contacts WHERE account_id = account AND jid = recipient AND established);

-- name: begin
-- The gate. Messages $1 of accounts $2 pass if they are in one of $8, if their accounts are not locked by somebody else,
-- still have the epochs $3 and can send, and if they are not late at $6; then they are in $9 and have an attempt. Late
-- ones go to $10.
-- $4 attempts  $5 secrets  $7 boots of the enclaves they go to  $11, $12 events of passing and of being late
-- $13 reason of late  $14 how far ahead of its instant one may pass (s): what is due later has been moved meanwhile
WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bytea[], $6::timestamptz[], $7::text[])
        AS asked (message, account, epoch, attempt, secret, now, boot)
), owners AS (
    SELECT id, epoch FROM accounts WHERE id = ANY($2::uuid[]) AND link = 'LINKED' FOR SHARE SKIP LOCKED
), locked AS (
    SELECT id, account_id, schedule_id, state, epoch, due_at, not_before FROM messages
    WHERE id = ANY($1::uuid[]) FOR UPDATE SKIP LOCKED
), picked AS (
    SELECT m.id, asked.attempt, asked.secret, asked.now, asked.boot,
           m.due_at + make_interval(secs => s.window_s + s.late_limit_s) < asked.now AS late
    FROM asked JOIN owners a ON a.id = asked.account AND a.epoch = asked.epoch
    JOIN locked m ON m.id = asked.message AND m.account_id = a.id AND m.epoch = a.epoch
    JOIN schedules s ON s.id = m.schedule_id
    WHERE m.state = ANY($8::text[])
      AND greatest(m.due_at, m.not_before) <= asked.now + make_interval(secs => $14::float8)
), begun AS (
    UPDATE messages m
    SET state = CASE WHEN picked.late THEN $10 ELSE $9 END, reason = CASE WHEN picked.late THEN $13 ELSE '' END,
        attempts = m.attempts + CASE WHEN picked.late THEN 0 ELSE 1 END, begun_at = picked.now, updated_at = now()
    FROM picked WHERE m.id = picked.id
    RETURNING m.id, m.user_id, m.account_id, m.schedule_id, m.recipient, m.attempts, m.epoch, picked.late,
              picked.attempt, picked.secret, picked.now, picked.boot,
              (extract(epoch FROM greatest(m.due_at, m.not_before)) * 1000)::bigint AS fire_ms
), noted AS (
    INSERT INTO changes (message_id, event, reason)
    SELECT id, CASE WHEN late THEN $12 ELSE $11 END, CASE WHEN late THEN $13 ELSE '' END FROM begun
), attempt AS (
    INSERT INTO attempts (id, message_id, account_id, number, secret, epoch, store_version, boot, begun_at, reach)
    SELECT begun.attempt, begun.id, begun.account_id, begun.attempts, begun.secret, begun.epoch,
           coalesce(stores.version, 0), begun.boot, begun.now, reach_of(begun.recipient, c.name, c.established)
    FROM begun LEFT JOIN stores ON stores.account_id = begun.account_id
    LEFT JOIN contacts c ON c.account_id = begun.account_id AND c.jid = begun.recipient WHERE NOT begun.late
)
SELECT id, user_id, schedule_id, recipient, attempts, late, attempt, fire_ms FROM begun;

-- name: bodies
-- The sealed texts of schedules $1. A statement of its own, after the gate: that one may have waited for a lock and then
-- sees a schedule as it was before, but nobody edits a text whose message is locked or has passed the gate.
SELECT id, environment, not_after_s, content_key, body FROM schedules WHERE id = ANY($1::uuid[]);

-- name: end
-- The attempts $1 of messages $2 have an outcome; the messages go from one of $7 to $8 if their accounts have epochs $3.
-- $4 WhatsApp ids ('' if none)  $5 server times  $6 when they were handed over, by our clock  $9 event  $10 reason
-- $11 outcome  $12 trouble  $13 server code  $14 not before
WITH ended AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[])
        AS ended (attempt, message, epoch, wa_id, sent_at, left_at)
), locked AS (
    SELECT id, account_id, state FROM messages WHERE id = ANY($2::uuid[]) ORDER BY id FOR UPDATE
), picked AS (
    SELECT m.id, ended.* FROM ended JOIN locked m ON m.id = ended.message
    JOIN accounts a ON a.id = m.account_id AND a.epoch = ended.epoch
    WHERE m.state = ANY($7::text[])
), attempt AS (
    UPDATE attempts t SET outcome = $11, trouble = $12, server_code = $13, ended_at = now(),
        wa_id = CASE WHEN picked.wa_id = '' THEN t.wa_id ELSE picked.wa_id END
    FROM picked WHERE t.id = picked.attempt AND t.message_id = picked.id AND t.outcome IN ('', 'UNCONFIRMED')
), moved AS (
    UPDATE messages m SET state = $8, reason = $10, not_before = $14, updated_at = now(),
        wa_id = CASE WHEN picked.wa_id = '' THEN m.wa_id ELSE picked.wa_id END,
        sent_at = coalesce(picked.sent_at, m.sent_at), left_at = coalesce(picked.left_at, m.left_at)
    FROM picked WHERE m.id = picked.id RETURNING m.id, m.user_id, m.schedule_id
), noted AS (
    INSERT INTO changes (message_id, event, reason) SELECT id, $9, $10 FROM moved
)
SELECT id, user_id, schedule_id FROM moved;

-- name: name
-- The session's store knows the id of attempt $1: receipts can find it. Needs epoch $2.  $3 WhatsApp id
WITH named AS (
    UPDATE attempts t SET wa_id = $3 FROM accounts a
    WHERE t.id = $1 AND a.id = t.account_id AND a.epoch = $2 RETURNING t.message_id
)
UPDATE messages m SET wa_id = $3 FROM named WHERE m.id = named.message_id;

-- name: open
-- Attempts of account $1 without an outcome, with their messages still SENDING, oldest first.
SELECT t.id, t.message_id, t.secret, t.store_version, t.boot, t.number, t.wa_id, m.recipient, m.user_id, t.begun_at,
       coalesce((SELECT c.lid FROM contacts c WHERE c.account_id = t.account_id AND c.jid = m.recipient), '') AS lid
FROM attempts t JOIN messages m ON m.id = t.message_id
WHERE t.account_id = $1 AND t.outcome = '' AND m.state = 'SENDING' ORDER BY t.begun_at;
