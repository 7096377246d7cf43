-- dress_login: changes how the pages of a login look, if the login still lives.
--
-- KEYS[1] login  hash: user, email, created_ms, agent, theme, letter_keys
-- ARGV[1] theme  ARGV[2] letter keys (0, 1)
-- Returns 1 if it lives, else 0.
--
-- A login that has ended meanwhile is never made again, without an expiry, whenever the caller dies.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
redis.call('HSET', KEYS[1], 'theme', ARGV[1], 'letter_keys', ARGV[2])
return 1
