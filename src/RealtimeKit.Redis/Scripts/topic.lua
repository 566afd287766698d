-- What all scripts of a topic begin with. KEYS: 1 the log (a stream), 2 its state (a hash).
-- ARGV: 1 channel, 2 history bytes, 3 history age (ms, -1: none), 4 lifetime of a topic with history (ms, -1: for ever),
--       5 lifetime of a topic without, 6-8 the newest entry that the caller has seen: epoch, offset, tag.
-- Numbers stay below 2^53: an epoch is a time in microseconds.
local log, state = KEYS[1], KEYS[2]
local channel, history_bytes, history_age = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local seen_epoch, seen_offset, seen_tag = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local time = redis.call('TIME')
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(now_us / 1000)

local function int(number) return string.format('%.0f', number) end
local function id(epoch, offset) return int(epoch) .. '-' .. int(offset) end

local fields = redis.call('HMGET', state, 'epoch', 'offset', 'tag', 'bytes', 'at', 'expires', 'oldest', 'newest', 'newest_at', 'newest_bytes')
local epoch, offset, tag = tonumber(fields[1]), tonumber(fields[2]), fields[3]
local bytes, at, expires = tonumber(fields[4]) or 0, tonumber(fields[5]), fields[6]
local oldest, newest = tonumber(fields[7]) or 1, tonumber(fields[8]) or 0
local newest_at, newest_bytes = tonumber(fields[9]), tonumber(fields[10])

-- History was lost (flushed, evicted, expired), went back to before what a node has seen (restored, failed over), or was replaced.
local function is_lost()
  return not epoch or epoch < seen_epoch
    or (epoch == seen_epoch and (offset < seen_offset or (offset == seen_offset and seen_tag ~= '' and tag ~= seen_tag)))
end

-- Entries of earlier epochs stay: whoever is behind them still gets them, and is then told.
local function begin_epoch()
  local first = math.max(now_us, (epoch or 0) + 1, seen_epoch + 1)
  if redis.call('EXISTS', log) == 1 then
    local info = redis.call('XINFO', 'STREAM', log)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then first = math.max(first, tonumber(string.match(info[i + 1], '^%d+')) + 1) end
    end
  end
  epoch, offset, tag = first, 0, ''
  redis.call('HSET', state, 'epoch', int(epoch), 'offset', '0', 'tag', '')
end

-- Age and bytes are bounded with marks: every sixteenth of either bound, the id of an entry with its time and the bytes before it.
local function mark(entry, size)
  if newest < oldest or (history_age >= 0 and now - newest_at >= history_age / 16) or bytes - newest_bytes >= history_bytes / 16 then
    newest, newest_at, newest_bytes = newest + 1, now, bytes
    redis.call('HSET', state, 'mark' .. newest, entry .. ' ' .. int(now) .. ' ' .. int(bytes),
      'newest', newest, 'newest_at', int(now), 'newest_bytes', int(bytes))
  end
  bytes = bytes + size
end

-- Whether even the newest entry is too old.
local function is_outdated() return history_age >= 0 and at and at <= now - history_age end

local function trim()
  if is_outdated() then
    redis.call('XTRIM', log, 'MAXLEN', 0)
    while oldest <= newest do
      redis.call('HDEL', state, 'mark' .. oldest)
      oldest = oldest + 1
    end
    redis.call('HSET', state, 'oldest', oldest)
    redis.call('HDEL', state, 'at')
    at = nil
    return
  end
  local first, cut, too_large = oldest, nil, false
  while oldest <= newest do
    local entry, written, before = string.match(redis.call('HGET', state, 'mark' .. oldest) or '', '^(%S+) (%d+) (%d+)$')
    if too_large then cut, too_large = entry, false end
    if not entry then -- nothing to go by: forget the mark
    elseif history_age >= 0 and tonumber(written) <= now - history_age then cut = entry
    elseif bytes - tonumber(before) > history_bytes and oldest < newest then too_large = true
    else break end
    redis.call('HDEL', state, 'mark' .. oldest)
    oldest = oldest + 1
  end
  if oldest > first then redis.call('HSET', state, 'oldest', oldest) end
  if cut then redis.call('XTRIM', log, 'MINID', cut) end
end

-- Both keys expire at the same moment, which is set again when a quarter of the time has passed: most publications need not.
local function touch()
  local lifetime = tonumber(offset > 0 and ARGV[4] or ARGV[5])
  if lifetime < 0 then
    if expires ~= 'never' then
      redis.call('PERSIST', log)
      redis.call('PERSIST', state)
      redis.call('HSET', state, 'expires', 'never')
    end
    return
  end
  local ends = tonumber(expires)
  if not ends or ends < now + lifetime * 0.75 or ends > now + lifetime then
    redis.call('HSET', state, 'expires', int(now + lifetime))
    redis.call('PEXPIREAT', log, int(now + lifetime))
    redis.call('PEXPIREAT', state, int(now + lifetime))
  end
end
