-- What is due at a time, or, where that is ahead of the server's clock, now. Answers that time, and what is due.
-- KEYS: what expires. ARGV: the time, how many at most.
local now = math.min(tonumber(ARGV[1]), tonumber(redis.call('TIME')[1]))
return {now, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])}
