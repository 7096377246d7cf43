-- The sealed session stores.

-- name: get
-- The newest store of account $1.
SELECT envelope FROM stores WHERE account_id = $1;

-- name: put
-- Keeps stores of accounts $1 that still have the epochs $2, those that are newer than the ones we have.
-- $3 versions  $4 clean  $5 envelopes (JSON)
INSERT INTO stores (account_id, version, clean, envelope)
SELECT held.id, kept.version, kept.clean, kept.envelope::jsonb
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::boolean[], $5::text[])
    AS kept (account, epoch, version, clean, envelope)
JOIN (SELECT id, epoch FROM accounts WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE) AS held
    ON held.id = kept.account AND held.epoch = kept.epoch
ON CONFLICT (account_id) DO UPDATE
SET version = excluded.version, clean = excluded.clean, envelope = excluded.envelope, updated_at = now()
WHERE stores.version < excluded.version
RETURNING account_id;

-- name: versions
-- The versions that we have of those accounts $1 that still have the epochs $2.
SELECT s.account_id, s.version FROM unnest($1::uuid[], $2::bigint[]) AS ours (account, epoch)
JOIN accounts a ON a.id = ours.account AND a.epoch = ours.epoch JOIN stores s ON s.account_id = a.id;

-- name: drop
-- The device is gone, and with it the store.
DELETE FROM stores s USING accounts a WHERE a.id = s.account_id AND a.id = $1 AND a.epoch = $2;
