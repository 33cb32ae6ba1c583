-- Ends a session, and answers it if it was there.
-- KEYS: the session, what is due in its part. ARGV: its name among what is due, the channel, what to announce.
local session = redis.call('GET', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if session then
  redis.call('DEL', KEYS[1])
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return session
