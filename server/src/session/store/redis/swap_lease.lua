-- Puts a lease in the place of another, if version and lease are still those.
-- KEYS: the session. ARGV: the version and the lease, the new lease.
if redis.call('GETRANGE', KEYS[1], 1, 25) ~= ARGV[1] then
  return 0
end
redis.call('SETRANGE', KEYS[1], 9, ARGV[2])
return 1
