-- tell_news: publish to many channels in one round trip.
--
-- KEYS    none: channels are not keys
-- ARGV    channel and news in turn
-- Returns how many subscribers there were.
--
-- It keeps nothing: what is lost, whenever the caller dies, is a page that is late.
local heard = 0
for i = 1, #ARGV, 2 do
    heard = heard + redis.call('PUBLISH', ARGV[i], ARGV[i + 1])
end
return heard
