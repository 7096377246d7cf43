-- The world of the benches of the engine: linked accounts, one user each, and messages to be sent.

-- name: add_accounts
-- $1 users  $2 accounts  $3 phones
WITH people AS (
    INSERT INTO users (id, email, zone) SELECT id, id || '@example.org', 'UTC' FROM unnest($1::uuid[]) AS made (id)
)
INSERT INTO accounts (id, user_id, link, jid, phone, wrapped_key, names_synced_at, last_hot_at)
SELECT account, person, 'LINKED', phone || ':1@s.whatsapp.net', phone, '\x00', now(), now()
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS made (person, account, phone);

-- name: add_messages
-- $1 schedules  $2 messages  $3 users  $4 accounts  $5 due instants  $6 recipient  $7 sealed body
WITH made AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[])
        AS made (schedule, message, person, account, due_at)
), rules AS (
    INSERT INTO schedules
        (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, content_key, body)
    SELECT schedule, person, account, $6, 'UTC', 7200, 'local', 4000000000, '\x00', $7 FROM made
)
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)
SELECT message, schedule, 1, person, account, $6, due_at FROM made;

-- name: add_linked
-- Accounts that an enclave has linked, one user each; their names are in. Nothing of them is spaced.
-- $1 users  $2 accounts  $3 phones  $4 JIDs with device  $5 wrapped keys  $6 versions of their stores  $7 envelopes
WITH linked AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::text[])
        AS linked (person, account, phone, jid, wrapped_key, version, envelope)
), people AS (
    INSERT INTO users (id, email, zone) SELECT person, person || '@example.org', 'UTC' FROM linked
), accounts AS (
    INSERT INTO accounts (id, user_id, link, jid, phone, wrapped_key, epoch, names_synced_at, last_hot_at)
    SELECT account, person, 'LINKED', jid, phone, wrapped_key, 1, now(), now() FROM linked
)
INSERT INTO stores (account_id, version, clean, envelope) SELECT account, version, true, envelope::jsonb FROM linked;

-- name: add_sealed
-- Messages whose texts an enclave has taken in, one schedule each.
-- $1 schedules  $2 messages  $3 users  $4 accounts  $5 due instants  $6 recipients  $7 content keys  $8 bodies
-- $9 environment  $10 ends of their seals (Unix s)
WITH made AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::text[], $7::bytea[], $8::bytea[], $10::bigint[]
    ) AS made (schedule, message, person, account, due_at, recipient, content_key, body, not_after_s)
), rules AS (
    INSERT INTO schedules
        (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, content_key, body)
    SELECT schedule, person, account, recipient, 'UTC', 7200, $9, not_after_s, content_key, body FROM made
), noted AS (
    INSERT INTO changes (message_id, event) SELECT message, 'created' FROM made
)
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)
SELECT message, schedule, 1, person, account, recipient, due_at FROM made;

-- name: live
-- How many sessions live.
SELECT count(*) FROM wakes WHERE slept_at IS NULL;

-- name: wakes_since
-- How many sessions were woken since $1.
SELECT count(*) FROM wakes WHERE woken_at >= $1;

-- name: states
-- How many messages that are due are in each state.
SELECT state, count(*) AS messages FROM messages WHERE due_at <= now() GROUP BY state;

-- name: least_begin
-- The limit of a burst: the least that a gate has to write for messages $1 of accounts $2.  $3 attempts  $4 secrets
WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[]) AS asked (message, account, attempt, secret)
), begun AS (
    UPDATE messages m SET state = 'SENDING', attempts = 1, begun_at = now(), updated_at = now()
    FROM asked WHERE m.id = asked.message
), noted AS (
    INSERT INTO changes (message_id, event) SELECT message, 'begun' FROM asked
)
INSERT INTO attempts (id, message_id, account_id, number, secret, epoch, store_version, boot)
SELECT attempt, message, account, 1, secret, 0, 0, '' FROM asked;

-- name: least_end
-- The same for what comes after a send.  $5 envelopes of the stores  $6 their version
WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])
        AS asked (message, account, attempt, wa_id, envelope)
), kept AS (
    INSERT INTO stores (account_id, version, clean, envelope) SELECT account, $6, false, envelope::jsonb FROM asked
    ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, envelope = excluded.envelope
), ended AS (
    UPDATE attempts t SET outcome = 'SENT', ended_at = now(), wa_id = asked.wa_id FROM asked WHERE t.id = asked.attempt
), noted AS (
    INSERT INTO changes (message_id, event) SELECT message, 'accepted' FROM asked
), closed AS (
    UPDATE schedules s SET state = 'FINISHED' FROM messages m JOIN asked ON asked.message = m.id WHERE s.id = m.schedule_id
)
UPDATE messages m SET state = 'SENT', wa_id = asked.wa_id, sent_at = now(), left_at = now(), updated_at = now()
FROM asked WHERE m.id = asked.message;

-- name: waiting
-- All messages that wait, account by account in turn.
SELECT id, account_id FROM messages WHERE state = 'SCHEDULED'
ORDER BY row_number() OVER (PARTITION BY account_id ORDER BY id), account_id;

-- name: least_message
-- The limit of one new message: everything of it in one statement.
-- $1 schedule  $2 message  $3 user  $4 account  $5 due  $6 recipient  $7 sealed body
WITH rule AS (
    INSERT INTO schedules
        (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, content_key, body)
    VALUES ($1, $3, $4, $6, 'UTC', 7200, 'local', 4000000000, '\x00', $7)
)
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)
VALUES ($2, $1, 1, $3, $4, $6, $5);

-- name: count
-- How many messages there are.
SELECT count(*) FROM messages;

-- name: make_accounts
-- $1 how many  Linked accounts that sleep, one user each.
WITH people AS (
    INSERT INTO users (id, email, zone)
    SELECT gen_random_uuid(), 'u' || n || '@example.org', 'UTC' FROM generate_series(1, $1::bigint) AS n
    RETURNING id, email
)
INSERT INTO accounts (id, user_id, link, jid, phone, wrapped_key, names_synced_at, last_hot_at)
SELECT id, id, 'LINKED', '4915' || n || ':1@s.whatsapp.net', '4915' || n, decode(repeat('00', 60), 'hex'), now(), now()
FROM people, substring(email, 2, position('@' IN email) - 2) AS n;

-- name: make_messages
-- Messages of accounts in turn.  $1, $2 from and to which number  $3 accounts  $4, $5 due from and until in (s), in no order
-- $6 recipient  $7 sealed body  $8 sealed content key. Ids sort by time and come in that order, as the product's do: it
-- says how full indexes are.
WITH owners AS MATERIALIZED (
    SELECT id, user_id, row_number() OVER (ORDER BY id) - 1 AS place FROM accounts
), made AS MATERIALIZED (
    SELECT n, owners.id AS account, owners.user_id AS person,
           now() + make_interval(secs => $4 + ($5::float8 - $4) * mod(n * 0.618033988749895, 1)::float8) AS due_at,
           (lpad(to_hex(1800000000000 + n), 12, '0') || '7' || substr(md5('a' || n), 1, 3) || '8' || substr(md5('a' || n), 4, 15))::uuid
               AS schedule,
           (lpad(to_hex(1800000000000 + n), 12, '0') || '7' || substr(md5('b' || n), 1, 3) || '8' || substr(md5('b' || n), 4, 15))::uuid
               AS message
    FROM generate_series($1::bigint, $2::bigint - 1) AS n JOIN owners ON owners.place = n % $3::bigint
    ORDER BY n
), rules AS (
    INSERT INTO schedules
        (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, content_key, body)
    SELECT schedule, person, account, $6, 'UTC', 7200, 'local', 4000000000, $8, $7 FROM made
)
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)
SELECT message, schedule, 1, person, account, $6, due_at FROM made;

-- name: bytes
-- What everything of messages takes, indexes included.
SELECT (pg_total_relation_size('schedules') + pg_total_relation_size('messages') + pg_total_relation_size('changes')
        + pg_total_relation_size('attempts'))::bigint;

-- name: bring_forward
-- The first message is due now.
UPDATE messages SET due_at = now() WHERE id = (SELECT id FROM messages ORDER BY due_at LIMIT 1);

-- name: first_left
-- When the first of all was handed over, NULL while none was.
SELECT min(left_at) FROM messages WHERE left_at IS NOT NULL;
