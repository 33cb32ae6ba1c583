-- Moves the idle end of a session, if it was last used before.
-- KEYS: the session, what is due in its part. ARGV: when it was used, that and the idle end as they are stored, its time to be kept in
-- ms, when it is due, its name among what is due, the channel, what to announce.
local last_seen = redis.call('GETRANGE', KEYS[1], 26, 33)
if last_seen == '' or struct.unpack('>i8', last_seen) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('SETRANGE', KEYS[1], 26, ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[5])
redis.call('PUBLISH', ARGV[6], ARGV[7])
return 1
