-- try_code: compares a login code and uses up one try.
--
-- KEYS[1] code  hash: code (its hash), tries (left)
-- ARGV[1] the hash of what was typed
-- Returns 'right' (the code is gone then), 'wrong', 'spent' (no try left), 'none' (no such code).
--
-- A code opens at most one login and takes at most as many tries as it was made with, whenever the caller dies.
local known = redis.call('HMGET', KEYS[1], 'code', 'tries')
if not known[1] then
    return 'none'
end
if tonumber(known[2]) <= 0 then
    return 'spent'
end
if known[1] == ARGV[1] then
    redis.call('DEL', KEYS[1])
    return 'right'
end
if redis.call('HINCRBY', KEYS[1], 'tries', -1) <= 0 then
    return 'spent'
end
return 'wrong'
