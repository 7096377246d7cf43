-- The gate before a send and what comes after it (docs/architecture.md, "The life of a message").

-- name: begin
-- The gate. Message $1 of account $2 passes if it is in one of $4, if its account still has epoch $3 and can send, and if
-- it is not late at $9; then it is in $5 and has an attempt. A late one goes to $6 instead.
-- $7 attempt  $8 secret  $9 now  $10 boot of the enclave  $11, $12 events of passing and of being late  $13 reason of late
-- $14 what is due after this has been moved meanwhile and does not pass
WITH owner AS (
    SELECT id, epoch FROM accounts WHERE id = $2 AND epoch = $3 AND link = 'LINKED' FOR SHARE
), picked AS (
    SELECT m.id, m.due_at + make_interval(secs => s.late_limit_s) < $9::timestamptz AS late
    FROM messages m JOIN owner ON owner.id = m.account_id JOIN schedules s ON s.id = m.schedule_id
    WHERE m.id = $1 AND m.state = ANY($4::text[]) AND m.epoch = owner.epoch
      AND greatest(m.due_at, m.not_before) <= $14
    FOR UPDATE OF m SKIP LOCKED
), begun AS (
    UPDATE messages m
    SET state = CASE WHEN picked.late THEN $6 ELSE $5 END, reason = CASE WHEN picked.late THEN $13 ELSE '' END,
        attempts = m.attempts + CASE WHEN picked.late THEN 0 ELSE 1 END, begun_at = $9::timestamptz, updated_at = now()
    FROM picked WHERE m.id = picked.id
    RETURNING m.id, m.user_id, m.schedule_id, m.recipient, m.attempts, picked.late,
              (extract(epoch FROM greatest(m.due_at, m.not_before)) * 1000)::bigint AS fire_ms
), noted AS (
    INSERT INTO changes (message_id, event, reason)
    SELECT id, CASE WHEN late THEN $12 ELSE $11 END, CASE WHEN late THEN $13 ELSE '' END FROM begun
), version AS (
    SELECT coalesce((SELECT version FROM stores WHERE account_id = $2), 0) AS version
), attempt AS (
    INSERT INTO attempts (id, message_id, account_id, number, secret, epoch, store_version, boot, begun_at, reach)
    SELECT $7, begun.id, $2, begun.attempts, $8, $3, version.version, $10, $9::timestamptz,
           reach_of(begun.recipient, c.name, c.established)
    FROM version, begun LEFT JOIN contacts c ON c.account_id = $2 AND c.jid = begun.recipient WHERE NOT begun.late
    RETURNING store_version
)
SELECT id, user_id, schedule_id, recipient, attempts, late, fire_ms FROM begun;

-- name: body
-- The sealed text of schedule $1. A statement of its own, after the gate: that one may have waited for a lock and then sees
-- the schedule as it was before, but nobody edits a text whose message is locked or has passed the gate.
SELECT environment, not_after_s, content_key, body FROM schedules WHERE id = $1;

-- name: end
-- The attempt $1 of message $2 has an outcome; the message goes from one of $4 to $5 if its account has epoch $3.
-- $6 event  $7 reason  $8 outcome  $9 trouble  $10 server code  $11 WhatsApp id ('' if none)  $12 server time
-- $13 not before  $14 when it was handed over, by our clock
WITH picked AS (
    SELECT m.id FROM messages m JOIN accounts a ON a.id = m.account_id
    WHERE m.id = $2 AND m.state = ANY($4::text[]) AND a.epoch = $3 FOR UPDATE OF m
), attempt AS (
    UPDATE attempts t SET outcome = $8, trouble = $9, server_code = $10, ended_at = now(),
        wa_id = CASE WHEN $11 = '' THEN t.wa_id ELSE $11 END
    FROM picked WHERE t.id = $1 AND t.message_id = picked.id AND t.outcome IN ('', 'UNCONFIRMED')
), moved AS (
    UPDATE messages m SET state = $5, reason = $7, not_before = $13, updated_at = now(),
        wa_id = CASE WHEN $11 = '' THEN m.wa_id ELSE $11 END, sent_at = coalesce($12, m.sent_at),
        left_at = coalesce($14, m.left_at)
    FROM picked WHERE m.id = picked.id RETURNING m.id, m.user_id, m.schedule_id
), noted AS (
    INSERT INTO changes (message_id, event, reason) SELECT id, $6, $7 FROM moved
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
