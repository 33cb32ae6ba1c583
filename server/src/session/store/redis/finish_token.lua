-- Claims a logout token for good, unless somebody else has.
-- KEYS: the claim. ARGV: its time to be kept in ms.
local claim = redis.call('GET', KEYS[1])
if claim and string.sub(claim, 1, 1) ~= 'p' then
  return 0
end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return 1
