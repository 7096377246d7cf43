-- The engine room: what admins see of all accounts, and what they may do. They see numbers, never whose they are.

-- What an account is called there.
ALTER TABLE accounts ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX accounts_by_number ON accounts (number) INCLUDE (id);

-- An admin has stopped it (NULL: nobody has), or sent it to sleep at that instant.
ALTER TABLE accounts
    ADD COLUMN stopped_at timestamptz,
    ADD COLUMN sleep_at   timestamptz;
CREATE INDEX accounts_resting ON accounts (id)
    WHERE backoff_until IS NOT NULL OR parked_until IS NOT NULL OR stopped_at IS NOT NULL;

-- How punctual everybody was.
CREATE INDEX messages_gone ON messages (due_at) WHERE sent_at IS NOT NULL OR state = 'MISSED';

-- Nodes that take in nothing, because an admin wants them empty.
CREATE TABLE drains (
    node   text PRIMARY KEY,
    since  timestamptz NOT NULL DEFAULT now()
);

-- What admins did. It outlives the account and the admin, but not limits.ORDERS_KEPT_S.
CREATE TABLE orders (
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_id    uuid REFERENCES users ON DELETE SET NULL,
    act        text NOT NULL CHECK (act IN ('sleep', 'park', 'unpark', 'drain', 'undrain')),
    number     bigint,                               -- of the account; NULL: it was about a node
    node       text NOT NULL DEFAULT ''
);
CREATE INDEX orders_by_time ON orders (at, id);
CREATE INDEX orders_of_account ON orders (number, at) WHERE number IS NOT NULL;
