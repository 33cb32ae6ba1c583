-- Adds a session to those of a user or of a provider's session. Forgets those that are long over, and itself after the last.
-- KEYS: the index. ARGV: the session, its end, the end of what is long over, its time to be kept in ms.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
