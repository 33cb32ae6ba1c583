-- Says that something expires later than it was said to.
-- KEYS: what expires. ARGV: when, what.
-- It is taken out first: a server whose memory is full lets a script that has written something write the rest.
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
return 1
