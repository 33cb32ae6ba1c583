-- What the first server has sealed; what is proposed if there is nothing yet.
-- KEYS: the check. ARGV: what is proposed.
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
