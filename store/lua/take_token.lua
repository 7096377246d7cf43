-- take_token: takes one token from a bucket that fills steadily.
--
-- KEYS[1] bucket  hash: tokens (fraction), at_ms
-- ARGV[1] now (ms)  ARGV[2] capacity (tokens)  ARGV[3] time to fill from empty (ms)
-- Returns 0 when a token was taken, else the wait (ms) until there is one.
--
-- The bucket never holds more than its capacity, and it expires when it would be full, whenever the caller dies.
local now, capacity, fill_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at_ms')
local tokens = tonumber(known[1]) or capacity
local elapsed = math.max(0, now - (tonumber(known[2]) or now))
tokens = math.min(capacity, tokens + elapsed * capacity / fill_ms)
if tokens < 1 then
    return math.ceil((1 - tokens) * fill_ms / capacity)
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - 1), 'at_ms', now)
redis.call('PEXPIRE', KEYS[1], fill_ms)
return 0
