-- Stores, numbers and announces one publication. KEYS: 3 producers (hash), 4 when they were last seen (sorted set), 5 this publication's own.
-- ARGV: 9 metadata (its tag are bytes 3-10), 10 payload, 11 history count, 12 the largest payload that is announced whole,
--       13 producer or '', 14 its sequence, 15 how long producers are remembered (ms), 16 how many, 17 how long this publication is (ms, 0: not).
-- Gives epoch, offset and whether it was a retry.
local metadata, payload, producer, sequence = ARGV[9], ARGV[10], ARGV[13], ARGV[14]

-- Sequences have 64 bits, more than a number here can hold.
local function is_greater(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end

if producer ~= '' then
  local known = redis.call('HGET', KEYS[3], producer)
  if known then
    local last, e, o = string.match(known, '^(%d+) (%d+)-(%d+)$')
    if last and not is_greater(sequence, last) then return { tonumber(e), tonumber(o), 1 } end
  end
elseif ARGV[17] ~= '0' then
  local e, o = string.match(redis.call('GET', KEYS[5]) or '', '^(%d+)-(%d+)$')
  if e then return { tonumber(e), tonumber(o), 1 } end
end

if is_lost() then begin_epoch() end
if is_outdated() then trim() end -- before the new entry is there, which must stay

local is_new = redis.call('EXISTS', log) == 0
local function add()
  return redis.pcall('XADD', log, 'MAXLEN', ARGV[11], id(epoch, offset + 1), 't', int(now), 'm', metadata, 'd', payload)
end
local added = add()
if type(added) == 'table' and added.err and string.find(added.err, 'equal or smaller', 1, true) then
  -- The stream is ahead of its state: the state was lost or restored alone.
  begin_epoch()
  added = add()
end
if type(added) == 'table' and added.err then return added end

offset, tag, at = offset + 1, string.sub(metadata, 3, 10), now
mark(added, #payload + 256)
redis.call('HSET', state, 'offset', int(offset), 'tag', tag, 'bytes', int(bytes), 'at', int(now))
trim()
if is_new then expires = nil end -- what was set when there was no stream did not count for it
touch()

if producer ~= '' then
  redis.call('HSET', KEYS[3], producer, sequence .. ' ' .. added)
  redis.call('ZADD', KEYS[4], int(now), producer)
  local gone = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', int(now - tonumber(ARGV[15])), 'LIMIT', 0, 16)
  local excess = math.min(redis.call('ZCARD', KEYS[4]) - #gone - tonumber(ARGV[16]), 1000)
  if excess > 0 then gone = redis.call('ZRANGE', KEYS[4], 0, #gone + excess - 1) end
  if #gone > 0 then
    redis.call('HDEL', KEYS[3], unpack(gone))
    redis.call('ZREM', KEYS[4], unpack(gone))
  end
  redis.call('PEXPIRE', KEYS[3], ARGV[15])
  redis.call('PEXPIRE', KEYS[4], ARGV[15])
elseif ARGV[17] ~= '0' then
  redis.call('SET', KEYS[5], added, 'PX', ARGV[17])
end

-- Offsets have no holes, so the id says which one came before.
local notice = added .. ' ' .. int(now) .. ' '
if #payload <= tonumber(ARGV[12]) then
  notice = notice .. #metadata .. ' ' .. metadata .. payload
else
  notice = notice .. '0 '
end
redis.call('SPUBLISH', channel, notice)
return { epoch, offset, 0 }
