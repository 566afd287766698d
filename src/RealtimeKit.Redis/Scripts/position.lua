-- Gives the newest position and its tag, and begins an epoch where there is none or history was lost; announces that.
-- ARGV: 9 an epoch that can't be trusted any more, or ''.
local is_distrusted = ARGV[9] ~= '' and epoch == tonumber(ARGV[9])
if is_distrusted or is_lost() then
  begin_epoch()
  redis.call('SPUBLISH', channel, id(epoch, 0) .. ' ' .. int(now) .. ' 0 ')
end
trim()
touch()
return { epoch, offset, tag }
