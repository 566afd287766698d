-- Removes a member of a set; 1 where it was there and had not expired. KEYS as for members-set. ARGV: 1 member.
local time = redis.call('TIME')
local ends = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]))
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return ends and ends > tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) and 1 or 0
