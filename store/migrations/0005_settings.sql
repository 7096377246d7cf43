-- What a person has set for themselves, and whether they have asked to be forgotten.

ALTER TABLE users
    ADD COLUMN theme        text NOT NULL DEFAULT '' CHECK (theme IN ('', 'light', 'dark')),  -- '': the system's
    ADD COLUMN letter_keys  boolean NOT NULL DEFAULT true,   -- single letters are shortcuts
    ADD COLUMN zone_chosen  boolean NOT NULL DEFAULT false,  -- by hand: signing in elsewhere does not change it
    ADD COLUMN deleting_at  timestamptz;                     -- confirmed; what is left goes once the phones are unlinked

CREATE INDEX users_deleting ON users (deleting_at) WHERE deleting_at IS NOT NULL;
