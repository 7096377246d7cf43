-- extend_due: lengthen the lease of messages that are still being worked on.
--
-- KEYS[1] processing  zset, member message id, score lease end (ms)
-- ARGV[1] lease end (ms)  ARGV[2] expiry of the set (s)  ARGV[3], ... message ids
-- Returns how many were still claimed.
--
-- Never adds an id: what was acknowledged meanwhile stays away, whenever the caller dies.
local kept = 0
for i = 3, #ARGV do
    if redis.call('ZSCORE', KEYS[1], ARGV[i]) then
        redis.call('ZADD', KEYS[1], ARGV[1], ARGV[i])
        kept = kept + 1
    end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return kept
