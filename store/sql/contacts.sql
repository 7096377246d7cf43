-- People and groups of an account, copied at each wake so that no page needs a session.

-- name: put_people
-- Keeps a page of people of account $1, if it has epoch $2.
-- $3 JIDs  $4 LIDs  $5 names  $6 search texts  $7 push names  $8 established
INSERT INTO contacts (account_id, jid, kind, lid, name, search, push_name, established)
SELECT a.id, p.jid, 'person', p.lid, p.name, p.search, p.push_name, p.established
FROM accounts a, unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[])
    AS p (jid, lid, name, search, push_name, established)
WHERE a.id = $1 AND a.epoch = $2
ON CONFLICT (account_id, jid) DO UPDATE
SET lid = excluded.lid, name = excluded.name, search = excluded.search, push_name = excluded.push_name,
    established = excluded.established, updated_at = now()
WHERE (contacts.lid, contacts.name, contacts.search, contacts.push_name, contacts.established)
      IS DISTINCT FROM (excluded.lid, excluded.name, excluded.search, excluded.push_name, excluded.established);

-- name: put_groups
-- Keeps the groups of account $1, if it has epoch $2.
-- $3 JIDs  $4 names  $5 search texts  $6 members  $7 whether we may write  $8 expiration (s)
INSERT INTO contacts (account_id, jid, kind, name, search, members, can_send, expiration_s, established)
SELECT a.id, g.jid, 'group', g.name, g.search, g.members, g.can_send, g.expiration_s, true
FROM accounts a, unnest($3::text[], $4::text[], $5::text[], $6::integer[], $7::boolean[], $8::integer[])
    AS g (jid, name, search, members, can_send, expiration_s)
WHERE a.id = $1 AND a.epoch = $2
ON CONFLICT (account_id, jid) DO UPDATE
SET name = excluded.name, search = excluded.search, members = excluded.members, can_send = excluded.can_send,
    expiration_s = excluded.expiration_s, updated_at = now();

-- name: drop_other_groups
-- Groups of account $1 of epoch $2 that are not in $3: the account has left them.
DELETE FROM contacts c USING accounts a
WHERE a.id = $1 AND a.epoch = $2 AND c.account_id = a.id AND c.kind = 'group' AND c.jid <> ALL($3::text[]);

-- name: count
-- Notes how many contacts account $1 of epoch $2 has, and what it calls itself ($3; '' changes nothing).
UPDATE accounts
SET contacts = (SELECT count(*) FROM contacts WHERE account_id = $1), name = coalesce(nullif($3::text, ''), name)
WHERE id = $1 AND epoch = $2 RETURNING contacts, user_id;

-- name: without_picture
-- Contacts of account $1 whose picture nobody has asked for since $2: recipients of messages first, then people one
-- writes with. At most $3; none once $4 have been asked for in a day, and none during a pause.
SELECT c.jid, c.picture_id FROM contacts c JOIN accounts a ON a.id = c.account_id
WHERE a.id = $1 AND (c.pictured_at IS NULL OR c.pictured_at < $2)
  AND (a.pictures_after IS NULL OR a.pictures_after <= now())
  AND $4 > (SELECT count(*) FROM contacts d WHERE d.account_id = $1 AND d.pictured_at > now() - interval '1 day')
ORDER BY c.pictured_at NULLS FIRST,
         EXISTS (SELECT 1 FROM messages m WHERE m.account_id = $1 AND m.recipient = c.jid) DESC,
         c.established DESC, c.name LIKE '+%', c.search, c.jid
LIMIT $3;

-- name: put_picture
-- Keeps what account $1 of epoch $2 knows of the picture of $3.  $4 id ('' if none)  $5 JPEG (NULL: unchanged)
UPDATE contacts c
SET picture_id = $4, pictured_at = now(), picture = CASE WHEN $4 = '' THEN NULL ELSE coalesce($5, c.picture) END
FROM accounts a WHERE a.id = $1 AND a.epoch = $2 AND c.account_id = a.id AND c.jid = $3
RETURNING a.user_id;

-- name: pause_pictures
-- Account $1 of epoch $2 asks for no picture before $3.
UPDATE accounts SET pictures_after = $3 WHERE id = $1 AND epoch = $2;
