-- How long an account may still be awake for its first sync. Only time in which it is HOT counts, and nothing decrements:
-- `sticky_remaining_ms` is what was left when it last fell asleep, `sticky_active_since` since when it is HOT again.
ALTER TABLE accounts
    ADD COLUMN sticky_remaining_ms bigint NOT NULL DEFAULT 86400000 CHECK (sticky_remaining_ms >= 0),
    ADD COLUMN sticky_active_since timestamptz;      -- NULL: not HOT, or its first sync is over

-- What is truly left at an instant.
CREATE FUNCTION sticky_left_ms(remaining_ms bigint, active_since timestamptz, at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN active_since IS NULL OR NOT isfinite(at) OR at <= active_since THEN remaining_ms
           ELSE greatest(0, remaining_ms - (extract(epoch FROM at - active_since) * 1000)::bigint) END
$$;
