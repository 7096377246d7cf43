-- What protects a number (domain/pacing.py): whom each attempt went to, and what stands against an account.
ALTER TABLE accounts
    ADD COLUMN paced         boolean NOT NULL DEFAULT false,  -- its sends are spaced; set when it is linked
    ADD COLUMN new_since     timestamptz,                     -- linked then, and new to us; NULL: not new
    ADD COLUMN cold_until    timestamptz,                     -- nothing goes to strangers before
    ADD COLUMN cold_pauses   integer NOT NULL DEFAULT 0,      -- of late; each is longer
    ADD COLUMN sends_until   timestamptz,                     -- nothing goes to anybody before
    ADD COLUMN refusals      integer NOT NULL DEFAULT 0,      -- in a row
    ADD COLUMN eased_until   timestamptz;                     -- after a ban: half of everything until then
UPDATE accounts SET paced = true;

ALTER TABLE attempts ADD COLUMN reach text NOT NULL DEFAULT 'warm' CHECK (reach IN ('warm', 'cool', 'cold', 'group'));
CREATE INDEX attempts_of_account ON attempts (account_id, begun_at);

-- Who a recipient is to an account, from its contact: NULL, false for one that is none.
CREATE FUNCTION reach_of(recipient text, name text, established boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN recipient LIKE '%@g.us' THEN 'group' WHEN established THEN 'warm'
           WHEN name IS NULL OR name LIKE '+%' THEN 'cold' ELSE 'cool' END
$$;
