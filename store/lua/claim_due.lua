-- claim_due: move what is due into the processing set, under a lease; what a dead claimer left comes back first.
--
-- KEYS[1] pending     zset, member message id, score due time (ms)
-- KEYS[2] processing  zset, member message id, score lease end (ms)
-- ARGV[1] claim what is due until (ms)  ARGV[2] now (ms)  ARGV[3] lease (ms)
-- ARGV[4] at most this many  ARGV[5] expiry of both sets (s)
-- Returns the claimed ids, those of ended leases first, then earliest first.
--
-- An id is in at most one of the two sets, whenever the caller dies.
local ids = redis.call('ZRANGE', KEYS[2], '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, ARGV[4])
local room = ARGV[4] - #ids
if room > 0 then
    for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, room)) do
        ids[#ids + 1] = id
    end
end
for _, id in ipairs(ids) do
    redis.call('ZREM', KEYS[1], id)
    redis.call('ZADD', KEYS[2], ARGV[2] + ARGV[3], id)
end
if #ids > 0 then
    redis.call('EXPIRE', KEYS[1], ARGV[5])
    redis.call('EXPIRE', KEYS[2], ARGV[5])
end
return ids
