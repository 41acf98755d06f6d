-- Lends a block of a limit that several processes share. Atomic, and on the server's own clock, so that no two processes have to agree on the time.
--
-- KEYS[1]  rl:{endpoint}:{window}: sorted set of blocks, member "<unique>:<count>", score when it was lent (ms)
-- ARGV     how long a block counts (ms), the limit, how many are wanted, a unique name for this block
-- Returns  how many were lent (0 to wanted), how many are left, in how many ms the oldest block stops to count (0: none does)
local seconds, micros = unpack(redis.call('TIME'))
local now = seconds * 1000 + math.floor(micros / 1000)
local counted_for, limit, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - counted_for)
local left = limit
for _, block in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  left = left - tonumber(string.match(block, ':(%d+)$'))
end
local lent = math.max(0, math.min(wanted, left))
if lent > 0 then
  redis.call('ZADD', KEYS[1], now, ARGV[4] .. ':' .. lent)
  redis.call('PEXPIRE', KEYS[1], counted_for)
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
return {lent, left - lent, oldest and oldest + counted_for - now or 0}
