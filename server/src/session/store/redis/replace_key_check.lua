-- Puts another check in its place, if it is still the one.
-- KEYS: the check. ARGV: the one, the other.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
