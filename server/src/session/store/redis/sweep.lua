-- Forgets a session or a claim, if it is still due. Answers nothing if it is not, and else what says whose session it was.
-- KEYS: the session or the claim, what is due in its part. ARGV: the time, its name among what is due.
local due = redis.call('ZSCORE', KEYS[2], ARGV[2])
if not due or tonumber(due) > tonumber(ARGV[1]) then
  return false
end
local identity = ''
local length = redis.call('GETRANGE', KEYS[1], 58, 61)
if #length == 4 then
  identity = redis.call('GETRANGE', KEYS[1], 62, 61 + struct.unpack('>I4', length))
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
return identity
