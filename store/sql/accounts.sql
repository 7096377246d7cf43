-- The engine's half of the accounts table: ownership, wishes, the link, waits. Every write of an owner carries its epoch.
-- Whoever locks several accounts locks them by id, as new schedules do: else two wait for each other.

-- name: load
-- What an actor needs to know of account $1; of its wakes those of the last $2 (s), at most $3, unless it is not spaced.
SELECT id, user_id, link, jid, lid, phone, wrapped_key, pair_phone, wish, epoch, owner, store_dirty, failures, restarts,
       lead_ms, contacts, paced, refusals, stopped_at IS NOT NULL AS stopped,
       (extract(epoch FROM sleep_at) * 1000)::bigint AS sleep_ms,
       (extract(epoch FROM greatest(backoff_until, parked_until, '-infinity')) * 1000) AS wait_until_ms,
       (extract(epoch FROM banned_until) * 1000)::bigint AS banned_until_ms,
       (extract(epoch FROM names_synced_at) * 1000)::bigint AS names_synced_ms,
       (extract(epoch FROM link_changed_at) * 1000)::bigint AS link_changed_ms,
       (extract(epoch FROM wished_at) * 1000)::bigint AS wished_ms,
       sticky_left_ms(sticky_remaining_ms, sticky_active_since, now()) AS sticky_left_ms,
       ARRAY(SELECT (extract(epoch FROM w.woken_at) * 1000)::bigint FROM wakes w
             WHERE paced AND w.account_id = $1 AND w.woken_at > now() - make_interval(secs => $2::float8)
             ORDER BY w.woken_at DESC LIMIT $3) AS wakes_ms
FROM accounts WHERE id = $1;

-- name: take
-- Makes node $2 the owner of those of $1 that nobody owns, that an owner in $3 had, or that were handed over to it; each gets
-- a new epoch.
-- An owner that died may have had it HOT: the budget of its first sync ran until that lease ended at the latest.
-- $1 accounts  $2 node  $3 owners known to be dead  $4 lease (s)
WITH free AS (
    SELECT id FROM accounts
    WHERE id = ANY($1::uuid[]) AND (owner IN ('', $2) OR owner = ANY($3::text[]) OR owned_until <= now())
    ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE accounts a
SET owner = $2, epoch = a.epoch + 1, owned_until = now() + make_interval(secs => $4::float8),
    sticky_remaining_ms = sticky_left_ms(a.sticky_remaining_ms, a.sticky_active_since, least(now(), a.owned_until)),
    sticky_active_since = NULL
FROM free WHERE a.id = free.id
RETURNING a.id, a.epoch;

-- name: renew
-- Lengthens the lease of the accounts $1 with their epochs $2. Returns those that are still ours.
-- $3 node  $4 lease (s)
WITH locked AS (
    SELECT id FROM accounts WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE accounts a
SET owned_until = now() + make_interval(secs => $4::float8)
FROM locked JOIN unnest($1::uuid[], $2::bigint[]) AS ours (id, epoch) ON ours.id = locked.id
WHERE a.id = ours.id AND a.epoch = ours.epoch AND a.owner = $3
RETURNING a.id;

-- name: release
-- Gives accounts $1 with their epochs $2 up. The epoch stays, so that no late write of ours counts for the next owner.
WITH locked AS (
    SELECT id FROM accounts WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE accounts a
SET owner = '', owned_until = '-infinity'
FROM locked JOIN unnest($1::uuid[], $2::bigint[]) AS ours (id, epoch) ON ours.id = locked.id
WHERE a.id = ours.id AND a.epoch = ours.epoch;

-- name: hand_over
-- Gives accounts $1 with their epochs $2 to node $3, which takes them when it sees that.  $4 lease (s), for that it may be dead
UPDATE accounts a
SET owner = $3, epoch = a.epoch + 1, owned_until = now() + make_interval(secs => $4::float8)
FROM unnest($1::uuid[], $2::bigint[]) AS ours (id, epoch)
WHERE a.id = ours.id AND a.epoch = ours.epoch
RETURNING a.id;

-- name: owners
-- All owners of any account, with whether a lease of theirs still runs.
SELECT owner, bool_or(owned_until > now()) AS alive FROM accounts WHERE owner <> '' GROUP BY owner;

-- name: owned_by
-- The accounts that one of $1 owned: what is to be taken over. At most $2.
SELECT id FROM accounts WHERE owner = ANY($1::text[]) LIMIT $2;

-- name: wishes
-- Accounts with a wish that node $1 may serve, oldest first, at most $2.
SELECT id FROM accounts
WHERE wish <> '' AND (owner = '' OR owner = $1 OR owned_until <= now())
ORDER BY wished_at LIMIT $2;

-- name: end_wish
-- Wish $3 of account $1 has been served or has failed.
UPDATE accounts SET wish = '', wished_at = NULL WHERE id = $1 AND epoch = $2 AND wish = $3 RETURNING user_id;

-- name: move_link
-- Account $1 of epoch $2 goes to link $4 if it is in one of $3.  $5 reason  $6 end of a ban  $7 after one: for how long (s)
-- half of everything is allowed
UPDATE accounts
SET link = $4, link_reason = $5, link_changed_at = now(), banned_until = $6,
    eased_until = CASE WHEN link = 'BANNED' AND $4 = 'LINKED' THEN now() + make_interval(secs => $7::float8)
                  ELSE eased_until END,
    jid = CASE WHEN $4 IN ('LINKED', 'BANNED') THEN jid ELSE '' END,
    lid = CASE WHEN $4 IN ('LINKED', 'BANNED') THEN lid ELSE '' END
WHERE id = $1 AND epoch = $2 AND link = ANY($3::text[])
RETURNING user_id;

-- name: pair
-- Account $1 of epoch $2 has a device: it goes to link $4 if it is in one of $3.
-- $5 JID with device  $6 LID  $7 phone (international digits)  $8 when this session was woken  $9 why
-- $10 the budget of its first sync (ms)  $11 whether the number counts as new to us for a while
-- From now on its sends are spaced, and nothing stands against it any more.
-- Its phone has just been seen.
WITH paired AS (
    UPDATE accounts
    SET link = $4, link_reason = '', link_changed_at = now(), jid = $5, lid = $6, phone = $7, wish = '',
        wished_at = NULL, pair_phone = '', names_synced_at = NULL, store_dirty = true, failures = 0, restarts = 0,
        backoff_until = NULL, parked_until = NULL, banned_until = NULL, phone_seen_at = now(), phone_days = 1,
        sticky_remaining_ms = $10, sticky_active_since = NULL,
        paced = true, new_since = CASE WHEN $11 THEN now() END, cold_until = NULL, cold_pauses = 0, sends_until = NULL,
        refusals = 0, eased_until = NULL
    WHERE id = $1 AND epoch = $2 AND link = ANY($3::text[])
    RETURNING id, user_id
), woken AS (
    INSERT INTO wakes (account_id, woken_at, reason) SELECT id, $8, $9 FROM paired
)
SELECT user_id FROM paired;

-- name: doubt_link
-- Somebody links phone $1, which an account has already: that one is woken, to learn whether its device still exists.
WITH doubted AS (
    UPDATE accounts SET wish = 'sync', wished_at = now() WHERE phone = $1 AND link = 'LINKED' AND wish = '' RETURNING id
)
SELECT pg_notify('autosendr_wishes', id::text) FROM doubted;

-- name: mark_dirty
-- A session is about to open, woken at $3 because of $4: from now on the persisted store is in doubt.
WITH marked AS (
    UPDATE accounts SET store_dirty = true WHERE id = $1 AND epoch = $2 RETURNING id
)
INSERT INTO wakes (account_id, woken_at, reason) SELECT id, $3, $4 FROM marked RETURNING account_id;

-- name: mark_clean
-- The closing store of the session woken at $3 has been persisted; it slept at $4, for $5.
WITH marked AS (
    UPDATE accounts
    SET store_dirty = false, sticky_remaining_ms = sticky_left_ms(sticky_remaining_ms, sticky_active_since, $4),
        sticky_active_since = NULL
    WHERE id = $1 AND epoch = $2 RETURNING id
)
UPDATE wakes w SET slept_at = $4, ending = $5 FROM marked WHERE w.account_id = marked.id AND w.woken_at = $3;

-- name: note_slept
-- The session woken at $3 ended at $4, for $5, without a closing store.
WITH asleep AS (
    UPDATE accounts
    SET sticky_remaining_ms = sticky_left_ms(sticky_remaining_ms, sticky_active_since, $4), sticky_active_since = NULL
    WHERE id = $1 AND epoch = $2 RETURNING id
)
UPDATE wakes w SET slept_at = $4, ending = $5 FROM asleep WHERE w.account_id = asleep.id AND w.woken_at = $3;

-- name: back_off
-- $3 wait until (NULL: none)  $4 parked until (NULL: none)  $5 failures in a row  $6 restarts in a row
UPDATE accounts SET backoff_until = $3, parked_until = $4, failures = $5, restarts = $6
WHERE id = $1 AND epoch = $2 RETURNING user_id;

-- name: note_hot
-- The session of account $1 of epoch $2 that was woken at $3 is ready since $4, after $5 ms (NULL: they say nothing of the
-- next wake's). A new lead weighs a quarter; the first takes the place of $7, which nobody measured.  $6 most ms
WITH hot AS (
    UPDATE accounts
    SET last_hot_at = greatest(last_hot_at, $4),
        sticky_active_since = CASE WHEN names_synced_at IS NULL THEN coalesce(sticky_active_since, $4) END,
        lead_ms = CASE WHEN $5::integer IS NULL THEN lead_ms
                  ELSE least(greatest(CASE WHEN lead_ms = $7 THEN $5::integer ELSE (3 * lead_ms + $5::integer) / 4 END, 200),
                             $6::integer) END
    WHERE id = $1 AND epoch = $2 RETURNING id
)
UPDATE wakes w SET ready_at = $4 FROM hot WHERE w.account_id = hot.id AND w.woken_at = $3;

-- name: note_phone
-- The account's own phone gave a sign of life at $3: the newest day is bit 0 of the last $4 days, an older one its own bit.
UPDATE accounts a
SET phone_seen_at = greatest(phone_seen_at, $3),
    phone_days = CASE
        WHEN days.later IS NULL OR days.later >= $4::integer THEN 1
        WHEN days.later >= 0 THEN ((phone_days << days.later) | 1) & ((1 << $4::integer) - 1)
        WHEN days.later > -$4::integer THEN phone_days | (1 << -days.later)
        ELSE phone_days END
FROM (SELECT id, ($3::timestamptz AT TIME ZONE 'UTC')::date - (phone_seen_at AT TIME ZONE 'UTC')::date AS later
      FROM accounts WHERE id = $1) AS days
WHERE a.id = days.id AND a.epoch = $2;

-- name: note_synced
-- The first sync of account $1 of epoch $2 is over.
UPDATE accounts
SET names_synced_at = coalesce(names_synced_at, now()),
    sticky_remaining_ms = sticky_left_ms(sticky_remaining_ms, sticky_active_since, now()), sticky_active_since = NULL
WHERE id = $1 AND epoch = $2 RETURNING user_id;

-- name: unsynced
-- Linked accounts whose first sync is not over, with budget left for it, and that node $1 may serve, at most $2; not those
-- that wait.
SELECT id FROM accounts
WHERE link = 'LINKED' AND names_synced_at IS NULL AND stopped_at IS NULL
  AND greatest(backoff_until, parked_until, '-infinity') <= now()
  AND sticky_left_ms(sticky_remaining_ms, sticky_active_since, now()) > 0 AND (owner = '' OR owner = $1 OR owned_until <= now())
ORDER BY link_changed_at LIMIT $2;

-- name: unhealthy
-- Linked accounts that have not been connected since $2 less a share of $3 (s), and that node $1 may serve, longest first, at
-- most $4. The share is of each account's last connection: it does not change while one looks. One that was woken in vain
-- since $5, or that waits, is left alone: it must not stand in the way of the others.
SELECT id FROM accounts
WHERE link = 'LINKED' AND last_hot_at < $2 AND stopped_at IS NULL
  AND last_hot_at < $2 - make_interval(secs => $3 * (
      hashtextextended(id::text || extract(epoch FROM last_hot_at)::text, 0) & 1023) / 1024.0::float8)
  AND greatest(backoff_until, parked_until, '-infinity') <= now()
  AND NOT EXISTS (SELECT 1 FROM wakes w WHERE w.account_id = accounts.id AND w.woken_at > $5)
  AND (owner = '' OR owner = $1 OR owned_until <= now())
ORDER BY last_hot_at LIMIT $4;

-- name: stopped
-- Accounts of node $1 that an admin has stopped.
SELECT id FROM accounts WHERE stopped_at IS NOT NULL AND owner = $1;

-- name: ended_bans
-- Accounts whose ban has ended and that node $1 may serve, at most $2.
SELECT id FROM accounts
WHERE link = 'BANNED' AND banned_until <= now() AND (owner = '' OR owner = $1 OR owned_until <= now()) LIMIT $2;

-- name: left_in_hand
-- Accounts with messages that a former owner left ARMED or SENDING and that nobody owns, at most $1.
SELECT DISTINCT a.id FROM messages m JOIN accounts a ON a.id = m.account_id
WHERE m.state IN ('ARMED', 'SENDING') AND (a.owner = '' OR a.owned_until <= now()) LIMIT $1;

-- name: holds_lock
-- Whether somebody in this database holds the advisory lock $1, and for how long the server has been up (s).
SELECT EXISTS (
    SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND ((classid::bigint << 32) | objid::bigint) = $1::bigint
) AS held, extract(epoch FROM now() - pg_postmaster_start_time())::float8 AS up_s;
