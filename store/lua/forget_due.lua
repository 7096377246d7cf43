-- forget_due: drop messages from both sets: sent, cancelled, moved, or blocked.
--
-- KEYS[1] pending     zset, member message id, score due time (ms)
-- KEYS[2] processing  zset, member message id, score lease end (ms)
-- ARGV    message ids
-- Returns how many were known.
--
-- Both sets lose an id in one step, whenever the caller dies.
return redis.call('ZREM', KEYS[1], unpack(ARGV)) + redis.call('ZREM', KEYS[2], unpack(ARGV))
