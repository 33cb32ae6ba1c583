-- Claims what may be used once.
-- KEYS: the claim, what is due in its part. ARGV: its time to be kept in ms, when it is due, its name among what is due.
if not redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) then
  return 0
end
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
return 1
