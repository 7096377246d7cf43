-- What the engine would have written, for pictures and for tests of pages. `:'name'` is a variable of psql.

-- name: bring_message
-- Puts a message and its history where they are wanted; '' is no time.
UPDATE messages SET state = :'state', reason = :'reason', due_at = :'due', wa_id = :'wa_id',
    begun_at = nullif(:'begun', '')::timestamptz, left_at = nullif(:'left', '')::timestamptz,
    sent_at = date_trunc('second', nullif(:'left', '')::timestamptz),
    delivered_at = date_trunc('second', nullif(:'delivered', '')::timestamptz),
    read_at = date_trunc('second', nullif(:'read', '')::timestamptz)
WHERE id = :'message';
UPDATE schedules SET created_at = :'made' WHERE id = (SELECT schedule_id FROM messages WHERE id = :'message');
DELETE FROM changes WHERE message_id = :'message';
INSERT INTO changes (message_id, at, event, reason)
SELECT :'message', (step ->> 0)::timestamptz, step ->> 1, step ->> 2 FROM jsonb_array_elements(:'steps') AS step;

-- name: note_wake
-- A session that was woken for a message.
INSERT INTO wakes (account_id, woken_at, ready_at, slept_at, reason, ending)
SELECT account_id, :'woken', :'ready', :'slept', 'due', 'released' FROM messages WHERE id = :'message' ON CONFLICT DO NOTHING;

-- name: give_face
UPDATE contacts SET picture = decode(:'picture', 'hex'), picture_id = '1', pictured_at = now() WHERE jid = :'jid';

-- name: know_everybody
-- Everybody has been written to before, all names are there, the phone was seen today and on most days, and every session has slept.
UPDATE contacts SET established = true;
UPDATE accounts SET names_synced_at = now(), phone_seen_at = now(), phone_days = 16127;
UPDATE wakes SET slept_at = woken_at + interval '3 minutes', ending = 'released' WHERE slept_at IS NULL;

-- name: log_out
-- WhatsApp has unlinked the phone.
UPDATE accounts SET link = 'LOGGED_OUT', link_reason = '401', link_changed_at = :'since' WHERE id = :'account';

-- name: link_again
UPDATE accounts SET link = 'LINKED', link_reason = '' WHERE id = :'account';

-- name: link
-- A phone is linked; its names have arrived or not.
UPDATE accounts SET link = 'LINKED', link_reason = '', wish = '', pair_phone = '', contacts = :'contacts',
    jid = :'phone' || ':7@s.whatsapp.net', phone = :'phone', name = :'name',
    names_synced_at = CASE WHEN :'synced' = 'yes' THEN now() END
WHERE id = :'account';

-- name: pair_by_number
UPDATE accounts SET pair_phone = :'phone' WHERE id = :'account';

-- name: end_pairing
UPDATE accounts SET link = 'UNLINKED', link_reason = :'reason', wish = '', pair_phone = '' WHERE id = :'account';

-- name: add_record
-- A month of messages of which only the times count: they are what the account's record is made of.
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at, state, wa_id, left_at, sent_at)
SELECT gen_random_uuid(), m.schedule_id, 100 + day * 4 + turn, m.user_id, m.account_id, m.recipient, due, 'SENT',
    '3EB0' || day || turn, due + late, date_trunc('second', due + late)
FROM (SELECT * FROM messages WHERE account_id = :'account' ORDER BY id LIMIT 1) AS m,
    generate_series(4, 29) AS day, generate_series(0, 3) AS turn,
    LATERAL (SELECT date_trunc('day', now()) - make_interval(days => day, hours => -7 - turn * 3) AS due,
        make_interval(secs => (14 + (day * 37 + turn * 53) % 41
            + CASE WHEN day = 17 AND turn = 2 THEN 190 ELSE 0 END) / 1000.0) AS late) AS times
WHERE (day * 7 + turn) % 3 > 0;

-- name: make_admin
UPDATE users SET is_admin = true WHERE email = :'email';

-- name: add_crowd
-- Some hundred accounts of as many people, with a day of messages behind and before them, many at :'peak'.
INSERT INTO users (id, email)
SELECT md5('crowd' || n)::uuid, n || '@crowd.example.org' FROM generate_series(1, :'many'::integer) AS n;
INSERT INTO accounts (id, user_id, link, jid, phone, wrapped_key, names_synced_at)
SELECT id, id, 'LINKED', '44770098' || left(email, -18) || ':7@s.whatsapp.net', '44770098' || left(email, -18), '\x00', now()
FROM users WHERE email LIKE '%@crowd.example.org' ORDER BY id;
INSERT INTO schedules
    (id, user_id, account_id, recipient, zone, late_limit_s, environment, not_after_s, content_key, body)
SELECT id, id, id, '447700900002@s.whatsapp.net', 'UTC', 7200, 'demo', 4000000000, '\x00', '\x00'
FROM users WHERE email LIKE '%@crowd.example.org';
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at)
SELECT gen_random_uuid(), id, turn, id, id, '447700900002@s.whatsapp.net',
    CASE WHEN turn = 1 AND n % 5 = 0 THEN :'peak'::timestamptz
    ELSE date_trunc('minute', now()) + make_interval(mins => 1 + (n * 37 + turn * 311) % 1440) END
FROM (SELECT id, left(email, -18)::integer AS n FROM users WHERE email LIKE '%@crowd.example.org') AS people,
    generate_series(1, 3) AS turn;
INSERT INTO messages (id, schedule_id, occurrence, user_id, account_id, recipient, due_at, state, wa_id, left_at, sent_at)
SELECT gen_random_uuid(), id, 100 + turn, id, id, '447700900002@s.whatsapp.net', due, 'SENT', '3EB0' || n || turn,
    due + late, date_trunc('second', due + late)
FROM (SELECT id, left(email, -18)::integer AS n FROM users WHERE email LIKE '%@crowd.example.org') AS people,
    generate_series(1, 2) AS turn,
    LATERAL (SELECT date_trunc('minute', now()) - make_interval(mins => 5 + (n * 41 + turn * 577) % 1400) AS due,
        make_interval(secs => (12 + n % 53 + CASE n % 61 WHEN 0 THEN 480 WHEN 1 THEN 160 ELSE 0 END) / 1000.0) AS late)
        AS times;
UPDATE accounts SET backoff_until = now() + interval '4 minutes' WHERE number IN (97, 311);

-- name: some_accounts
-- Which of them hold a slot in the picture.
SELECT id FROM accounts WHERE backoff_until IS NULL ORDER BY md5(number::text) LIMIT 20;
