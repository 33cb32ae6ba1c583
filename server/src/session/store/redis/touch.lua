-- Moves the idle end of a session, if it was last used before.
-- KEYS: the session. ARGV: when it was used, that and the idle end as they are stored, how long its value is kept at least in ms, the
-- channel, what to announce.
local last_seen = redis.call('GETRANGE', KEYS[1], 26, 33)
if last_seen == '' or struct.unpack('>i8', last_seen) >= tonumber(ARGV[1]) then
  return 0
end
-- This comes first: it takes no memory, and a server whose memory is full lets a script that has written something write the rest.
redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[3])))
redis.call('SETRANGE', KEYS[1], 26, ARGV[2])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
