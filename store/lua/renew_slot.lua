-- renew_slot: lengthen the lease of a slot that is still ours.
--
-- KEYS[1] slot  string, the owner's token
-- ARGV[1] token  ARGV[2] lease (ms)
-- Returns 1 if it was ours, else 0.
--
-- A slot of somebody else is never touched, whenever the caller dies.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
