-- Replaces tokens and profile, if the version is still the one; what else the session holds stays.
-- KEYS: the session. ARGV: the version, the next version without a lease, profile and tokens, the channel, what to announce.
local head = redis.call('GETRANGE', KEYS[1], 0, 61)
if string.sub(head, 2, 9) ~= ARGV[1] then
  return 0
end
local identity = struct.unpack('>I4', head, 59)
local kept = redis.call('GETRANGE', KEYS[1], 26, 61 + identity)
redis.call('SET', KEYS[1], string.sub(head, 1, 1) .. ARGV[2] .. kept .. ARGV[3], 'KEEPTTL')
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
