-- Write the session's figures under their names, unless another account's running trader comes first: one account's figures at a time, never a mixture.
-- KEYS[1] whose figures these are; ARGV[1] account, then (key, value) pairs. Live comes before paper, paper before all others; a trader whose status
-- has expired is not running.
local ranks = {live = 1, paper = 2}
local function rank(account) return ranks[string.match(account, '^%a+')] or 3 end
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] and rank(owner) <= rank(ARGV[1]) and redis.call('EXISTS', 'status:' .. owner) == 1 then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
for at = 2, #ARGV, 2 do redis.call('SET', ARGV[at], ARGV[at + 1]) end
return 1
