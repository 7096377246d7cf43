-- What WhatsApp tells of messages that left.

-- name: serialize
-- Until the end of the transaction nobody else handles receipts of account $1. Else one that comes while its message gets
-- its id could miss the message, and the message the receipt.
SELECT pg_advisory_xact_lock(hashtextextended($1::text, 7));

-- name: apply
-- Messages of account $1 with one of the ids $3 go from one of $4 to $5, if the account has epoch $2.
-- $6 event  $7 at  $8 whether it is a delivery  $9 whether it was read
-- An attempt that was in doubt is settled by it.
WITH picked AS (
    SELECT m.id FROM messages m JOIN accounts a ON a.id = m.account_id
    WHERE m.account_id = $1 AND a.epoch = $2 AND m.wa_id = ANY($3::text[]) AND m.state = ANY($4::text[])
    ORDER BY m.id FOR UPDATE OF m
), moved AS (
    UPDATE messages m SET state = $5, reason = '', updated_at = now(),
        sent_at = coalesce(m.sent_at, $7),
        delivered_at = CASE WHEN $8 THEN coalesce(m.delivered_at, $7) ELSE m.delivered_at END,
        read_at = CASE WHEN $9 THEN coalesce(m.read_at, $7) ELSE m.read_at END
    FROM picked WHERE m.id = picked.id RETURNING m.id, m.user_id, m.schedule_id, m.wa_id
), settled AS (
    UPDATE attempts t SET outcome = 'SENT', ended_at = now() FROM moved
    WHERE t.message_id = moved.id AND t.outcome IN ('', 'UNCONFIRMED') AND t.wa_id = moved.wa_id
), noted AS (
    INSERT INTO changes (message_id, event) SELECT id, $6 FROM moved
)
SELECT id, user_id, schedule_id, wa_id FROM moved;

-- name: note_retried
-- A device asked again for messages $3 of account $1 of epoch $2.
UPDATE messages m SET retried = true, updated_at = now() FROM accounts a
WHERE a.id = $1 AND a.epoch = $2 AND m.account_id = a.id AND m.wa_id = ANY($3::text[]) AND NOT m.retried
RETURNING m.id, m.user_id, m.schedule_id, m.wa_id;

-- name: known
-- Which of the ids $2 messages of account $1 have.
SELECT wa_id FROM messages WHERE account_id = $1 AND wa_id = ANY($2::text[]);

-- name: keep_stray
-- Keeps receipts $2 of kind $4 in chat $3 at $5 that no message of account $1 has, while an attempt of it is in doubt.
INSERT INTO stray_receipts (account_id, wa_id, chat, kind, at)
SELECT $1, wa_id, $3, $4, $5 FROM unnest($2::text[]) AS ids (wa_id)
WHERE EXISTS (SELECT 1 FROM attempts WHERE account_id = $1 AND outcome IN ('', 'UNCONFIRMED'))
ON CONFLICT DO NOTHING;

-- name: take_strays
-- The kept receipts of accounts $1 for the ids $2, in the same order; they are not kept any longer.
DELETE FROM stray_receipts s USING unnest($1::uuid[], $2::text[]) AS named (account, wa_id)
WHERE s.account_id = named.account AND s.wa_id = named.wa_id RETURNING s.account_id, s.wa_id, s.kind, s.at;

-- name: find_stray
-- An id that nobody knows, from one of the chats $2 of account $1, not before $3. None while another attempt than $4 to that
-- chat has no id yet, on its way or in doubt: the receipt may be that one's.
SELECT wa_id, at FROM stray_receipts s
WHERE account_id = $1 AND chat = ANY($2::text[]) AND at >= $3
  AND NOT EXISTS (
      SELECT 1 FROM attempts t JOIN messages m ON m.id = t.message_id
      WHERE t.account_id = $1 AND t.id <> $4 AND t.outcome IN ('', 'UNCONFIRMED') AND t.wa_id = ''
        AND m.recipient = ANY($2::text[])
  )
  AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.account_id = $1 AND m.wa_id = s.wa_id)
ORDER BY at LIMIT 1;

-- name: purge_strays
-- WhatsApp keeps a receipt for 14 days; what is older than $1 settles nothing any more.
DELETE FROM stray_receipts WHERE at < $1;
