-- Begins what a logout token asks for: 1 for whoever may, 2 while somebody else is at it, 0 when it is done.
-- KEYS: the claim. ARGV: the mark of whoever asks, how long the mark holds in ms.
local claim = redis.call('GET', KEYS[1])
if not claim then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
if string.sub(claim, 1, 1) == 'p' then
  return 2
end
return 0
