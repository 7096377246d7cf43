-- name: find
-- $1 user
SELECT id, wrapped, proof_hash, created_at FROM viewing_keys WHERE user_id = $1

-- name: add
-- $1 user  $2 id  $3 wrapped key  $4 hash of the proof. Gives nothing when the user has a key already.
INSERT INTO viewing_keys (user_id, id, wrapped, proof_hash) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO NOTHING
RETURNING id

-- name: forget
-- $1 user  $2 id. Gives nothing when that is not the user's key.
DELETE FROM viewing_keys WHERE user_id = $1 AND id = $2 RETURNING id

-- name: sealed_of
-- $1 user  $2 messages
SELECT m.id, s.body, s.viewing, s.viewing_key, s.environment, s.account_id AS account, s.id AS schedule, s.recipient,
       s.not_after_s
FROM messages m JOIN schedules s ON s.id = m.schedule_id
WHERE m.user_id = $1 AND m.id = ANY ($2::uuid[])
