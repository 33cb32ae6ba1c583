-- Ends a session, and answers it if it was there.
-- KEYS: the session. ARGV: the channel, what to announce.
local session = redis.call('GET', KEYS[1])
if session then
  redis.call('DEL', KEYS[1])
  redis.call('PUBLISH', ARGV[1], ARGV[2])
end
return session
