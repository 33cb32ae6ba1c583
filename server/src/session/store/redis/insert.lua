-- Writes a new session, if there is none of this key.
-- KEYS: the session, what is due in its part. ARGV: the session, its time to be kept in ms, when it is due, its name among what is due.
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4])
return 1
