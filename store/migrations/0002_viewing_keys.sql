-- The viewing key of a user, wrapped under their recovery code: what a second browser needs to show texts again.
CREATE TABLE viewing_keys (
    user_id     uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    id          uuid NOT NULL,                                              -- chosen by the browser that made the key
    wrapped     bytea NOT NULL CHECK (octet_length(wrapped) = 60),          -- nonce 12, key 32, tag 16
    proof_hash  bytea NOT NULL CHECK (octet_length(proof_hash) = 32),       -- SHA-256 of what the code proves itself by
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- The content key once more, under the viewing key. Both or neither: without them a text stays closed to everybody.
ALTER TABLE schedules
    ADD COLUMN viewing bytea CHECK (octet_length(viewing) = 60),            -- nonce 12, key 32, tag 16
    ADD COLUMN viewing_key uuid,                                            -- viewing_keys.id, which may be gone since
    ADD CONSTRAINT schedules_viewing_whole CHECK ((viewing IS NULL) = (viewing_key IS NULL));
