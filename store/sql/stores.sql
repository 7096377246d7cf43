-- The sealed session stores.

-- name: get
-- The newest store of account $1.
SELECT envelope FROM stores WHERE account_id = $1;

-- name: put
-- Keeps a store if account $1 still has epoch $2 and the store is newer than the one we have.
-- $3 version  $4 clean  $5 envelope
INSERT INTO stores (account_id, version, clean, envelope)
SELECT id, $3::bigint, $4::boolean, $5::jsonb FROM accounts WHERE id = $1 AND epoch = $2 FOR SHARE
ON CONFLICT (account_id) DO UPDATE
SET version = excluded.version, clean = excluded.clean, envelope = excluded.envelope, updated_at = now()
WHERE stores.version < excluded.version
RETURNING version;

-- name: version
-- The version we have of account $1, if it still has epoch $2.
SELECT s.version FROM stores s JOIN accounts a ON a.id = s.account_id WHERE s.account_id = $1 AND a.epoch = $2;

-- name: drop
-- The device is gone, and with it the store.
DELETE FROM stores s USING accounts a WHERE a.id = s.account_id AND a.id = $1 AND a.epoch = $2;
