-- What an account's session did and when: one row a wake, kept for limits.WAKES_KEPT_S.

CREATE TABLE wakes (
    account_id  uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    woken_at    timestamptz NOT NULL,
    ready_at    timestamptz,                         -- when sends could begin; NULL: it never got that far
    slept_at    timestamptz,                         -- NULL: still awake, or nobody saw the end
    reason      text NOT NULL CHECK (reason IN ('due', 'pairing', 'wish', 'sticky', 'health')),  -- a WantKind
    ending      text NOT NULL DEFAULT '',            -- the RunEvent that ended it
    PRIMARY KEY (account_id, woken_at)
);
CREATE INDEX wakes_by_age ON wakes (woken_at);

-- On which of the last 14 days the phone was seen: bit n is the day n days before that of phone_seen_at, in UTC.
ALTER TABLE accounts ADD COLUMN phone_days integer NOT NULL DEFAULT 0;
UPDATE accounts SET phone_days = 1 WHERE phone_seen_at IS NOT NULL;
