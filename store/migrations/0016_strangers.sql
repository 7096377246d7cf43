-- Strangers (reach_of: cold) whom a person has said, once for each, that they mean to write to.
CREATE TABLE confirmed_strangers (
    account_id   uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    jid          text NOT NULL,
    confirmed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, jid)
);
