-- The truth. Core PostgreSQL 15 and later only; ids are UUIDv7 made in Python; every state word is one of domain/.
-- Times are timestamptz; what the engine compares in milliseconds it reads as milliseconds since 1970.

CREATE TABLE users (
    id          uuid PRIMARY KEY,
    email       text NOT NULL UNIQUE CHECK (email = lower(email)),
    zone        text NOT NULL DEFAULT 'UTC',
    is_admin    boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE accounts (
    id                uuid PRIMARY KEY,
    user_id           uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    link              text NOT NULL DEFAULT 'UNLINKED'
                      CHECK (link IN ('UNLINKED', 'PAIRING', 'LINKED', 'LOGGED_OUT', 'BANNED', 'LOCKED')),
    link_reason       text NOT NULL DEFAULT '',      -- of the last change: a PairTrouble or a WhatsApp code
    link_changed_at   timestamptz NOT NULL DEFAULT now(),
    banned_until      timestamptz,
    jid               text NOT NULL DEFAULT '',      -- with device number, as WhatsApp gave it
    lid               text NOT NULL DEFAULT '',
    phone             text NOT NULL DEFAULT '',      -- international digits
    name              text NOT NULL DEFAULT '',
    wrapped_key       bytea NOT NULL,                -- the account key, wrapped by the enclave's key provider
    pair_phone        text NOT NULL DEFAULT '',      -- digits for pairing by code, '' for QR
    wish              text NOT NULL DEFAULT '' CHECK (wish IN ('', 'pair', 'unlink', 'sync')),
    wished_at         timestamptz,
    -- ownership: a lease with an epoch that only grows; the epoch is in every write of the engine
    epoch             bigint NOT NULL DEFAULT 0,
    owner             text NOT NULL DEFAULT '',      -- node id
    owned_until       timestamptz NOT NULL DEFAULT '-infinity',
    -- the session store's own doubt: true from the opening of a session until its closing store is persisted
    store_dirty       boolean NOT NULL DEFAULT false,
    backoff_until     timestamptz,
    failures          integer NOT NULL DEFAULT 0,
    restarts          integer NOT NULL DEFAULT 0,
    parked_until      timestamptz,
    lead_ms           integer NOT NULL DEFAULT 4000, -- measured: from wake to ready
    names_synced_at   timestamptz,
    contacts          integer NOT NULL DEFAULT 0,
    last_hot_at       timestamptz,
    phone_seen_at     timestamptz,
    created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX accounts_of_user ON accounts (user_id, created_at);
CREATE INDEX accounts_with_wish ON accounts (wished_at) WHERE wish <> '';
CREATE INDEX accounts_owned ON accounts (owner) WHERE owner <> '';
CREATE INDEX accounts_unsynced ON accounts (link_changed_at) WHERE link = 'LINKED' AND names_synced_at IS NULL;
CREATE INDEX accounts_by_last_hot ON accounts (last_hot_at) WHERE link = 'LINKED';
CREATE UNIQUE INDEX accounts_by_phone ON accounts (phone) WHERE link = 'LINKED';

-- The sealed session store, one row an account: compare-and-set on version.
CREATE TABLE stores (
    account_id  uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    version     bigint NOT NULL,
    clean       boolean NOT NULL,
    envelope    jsonb NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE stores ALTER COLUMN envelope SET STORAGE EXTERNAL;  -- ciphertext does not compress

CREATE TABLE contacts (
    account_id   uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    jid          text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('person', 'group')),
    lid          text NOT NULL DEFAULT '',
    name         text NOT NULL,                      -- what people see: full > business > push name > number
    search       text NOT NULL,                      -- folded name, a space, digits: what a search looks in
    push_name    text NOT NULL DEFAULT '',
    members      integer NOT NULL DEFAULT 0,
    can_send     boolean NOT NULL DEFAULT true,
    expiration_s integer NOT NULL DEFAULT 0,
    established  boolean NOT NULL DEFAULT false,     -- a Signal session exists: not a first contact
    picture_id   text NOT NULL DEFAULT '',
    picture      bytea,
    pictured_at  timestamptz,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, jid)
);

-- A rule made by a user, with the one sealed body of all its messages.
CREATE TABLE schedules (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    account_id   uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    recipient    text NOT NULL,                      -- JID
    state        text NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'PAUSED', 'FINISHED', 'CANCELLED')),
    zone         text NOT NULL,
    late_limit_s integer NOT NULL,
    environment  text NOT NULL,                      -- of the seal's binding
    not_after_s  bigint NOT NULL,                    -- of the seal's binding, Unix seconds
    content_key  bytea NOT NULL,                     -- sealed under the account's body key
    body         bytea NOT NULL,                     -- AES-GCM under the content key
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX schedules_of_user ON schedules (user_id, created_at);

CREATE TABLE messages (
    id            uuid PRIMARY KEY,
    schedule_id   uuid NOT NULL REFERENCES schedules ON DELETE CASCADE,
    occurrence    integer NOT NULL,
    user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    account_id    uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    recipient     text NOT NULL,
    due_at        timestamptz NOT NULL,
    not_before    timestamptz,                       -- of a retry; the due instant stays what the user chose
    state         text NOT NULL DEFAULT 'SCHEDULED' CHECK (state IN ('SCHEDULED', 'HELD', 'BLOCKED', 'ARMED', 'SENDING',
                  'SENT', 'DELIVERED', 'READ', 'UNCONFIRMED', 'MISSED', 'FAILED', 'CANCELLED')),
    reason        text NOT NULL DEFAULT '',
    attempts      integer NOT NULL DEFAULT 0,
    epoch         bigint NOT NULL DEFAULT 0,         -- of the owner that armed or sent it
    wa_id         text NOT NULL DEFAULT '',
    begun_at      timestamptz,
    sent_at       timestamptz,
    delivered_at  timestamptz,
    read_at       timestamptz,
    retried       boolean NOT NULL DEFAULT false,    -- a device asked for it again
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (schedule_id, occurrence),
    CHECK (state NOT IN ('SENT') OR wa_id <> '')
);
CREATE INDEX messages_due ON messages (due_at) WHERE state = 'SCHEDULED';
CREATE INDEX messages_open_of_account ON messages (account_id, due_at)
    WHERE state IN ('SCHEDULED', 'ARMED', 'SENDING', 'HELD', 'BLOCKED');
CREATE INDEX messages_by_wa_id ON messages (account_id, wa_id) WHERE wa_id <> '';
CREATE INDEX messages_of_user ON messages (user_id, due_at);
CREATE INDEX messages_waiting ON messages (due_at) WHERE state IN ('BLOCKED', 'HELD');
CREATE INDEX messages_in_hand ON messages (account_id) WHERE state IN ('ARMED', 'SENDING');

-- One try to send a message; committed, with its own secret, before the frame goes out (design §6).
CREATE TABLE attempts (
    id            uuid PRIMARY KEY,
    message_id    uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
    account_id    uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    number        integer NOT NULL,
    secret        bytea NOT NULL CHECK (octet_length(secret) = 32),
    epoch         bigint NOT NULL,
    store_version bigint NOT NULL,                   -- of the newest persisted store when it began
    boot          text NOT NULL,                     -- of the enclave it went to
    begun_at      timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,
    outcome       text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'SENT', 'NOT_SENT', 'REFUSED', 'UNCONFIRMED')),
    trouble       text NOT NULL DEFAULT '',
    server_code   integer NOT NULL DEFAULT 0,
    wa_id         text NOT NULL DEFAULT '',
    UNIQUE (message_id, number)
);
CREATE INDEX attempts_open ON attempts (account_id) WHERE outcome IN ('', 'UNCONFIRMED');

-- A message's history, for its page: what happened, when, why.
CREATE TABLE changes (
    message_id  uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    event       text NOT NULL,                       -- a MessageEvent, or "created"
    reason      text NOT NULL DEFAULT ''
);
CREATE INDEX changes_of_message ON changes (message_id, at);

-- Receipts for ids that no message has: they may settle an attempt whose id died with its enclave.
CREATE TABLE stray_receipts (
    account_id  uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    wa_id       text NOT NULL,
    chat        text NOT NULL,
    kind        text NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (account_id, wa_id, kind)
);
CREATE INDEX stray_receipts_by_age ON stray_receipts (at);
