-- Claims a logout token for good, unless somebody else has.
-- KEYS: the claim, what is due in its part. ARGV: its time to be kept in ms, when it is due, its name among what is due.
local claim = redis.call('GET', KEYS[1])
if claim and string.sub(claim, 1, 1) ~= 'p' then
  return 0
end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
return 1
