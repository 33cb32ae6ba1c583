-- Forgets a session that has expired, and answers what says whose it was. Of one that has not it answers when it will.
-- KEYS: the session. ARGV: the time.
local head = redis.call('GETRANGE', KEYS[1], 0, 61)
if head == '' then
  return false
end
local idle_end = struct.unpack('>i8', head, 35)
if idle_end > tonumber(ARGV[1]) then
  return idle_end
end
local identity = redis.call('GETRANGE', KEYS[1], 62, 61 + struct.unpack('>I4', head, 59))
redis.call('DEL', KEYS[1])
return identity
