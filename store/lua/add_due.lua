-- add_due: put messages into the pending set, unless somebody is working on them.
--
-- KEYS[1] pending     zset, member message id, score due time (ms)
-- KEYS[2] processing  zset, member message id, score lease end (ms)
-- ARGV[1] expiry of both sets (s)  ARGV[2], ARGV[3], ... due time (ms) and message id in turn
-- Returns how many were added or moved.
--
-- An id is in at most one of the two sets, whenever the caller dies.
local added = 0
for i = 2, #ARGV, 2 do
    if not redis.call('ZSCORE', KEYS[2], ARGV[i + 1]) then
        added = added + redis.call('ZADD', KEYS[1], 'CH', ARGV[i], ARGV[i + 1])
    end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[1])
return added
