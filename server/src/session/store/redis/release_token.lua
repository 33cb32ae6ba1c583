-- Gives a logout token back, for the provider to try again.
-- KEYS: the claim. ARGV: the mark of whoever had begun.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 1
