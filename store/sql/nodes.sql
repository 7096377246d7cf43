-- name: count
-- How many processes hold the advisory lock $1 of this database, exclusively or shared.
SELECT count(DISTINCT pid) FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND ((classid::bigint << 32) | objid::bigint) = $1::bigint;

-- name: owned
-- How many accounts each node owns.
SELECT owner, count(*) AS accounts FROM accounts WHERE owner <> '' AND owned_until > now() GROUP BY owner;
