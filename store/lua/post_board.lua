-- post_board: show what a node does, and that it lives.
--
-- KEYS[1] board  string, JSON
-- KEYS[2] nodes  zset, member node, score instant of its newest board (ms)
-- ARGV[1] node  ARGV[2] JSON  ARGV[3] now (ms)  ARGV[4] expiry (ms)
-- Returns how many nodes there are.
--
-- A board and its node are there together or not at all, whenever the caller dies.
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', tonumber(ARGV[3]) - tonumber(ARGV[4]))
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return redis.call('ZCARD', KEYS[2])
