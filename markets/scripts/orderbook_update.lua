-- Change levels of one book and recompute its best bid and offer, in one step.
-- KEYS: bids, asks (sorted sets), bid sizes, ask sizes, best bid and offer (hashes)
-- ARGV: "1" when the levels that follow are the whole book, version, timestamp; then for each level: "b" or "a", price, size (0 removes)
if ARGV[1] == '1' then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
end
for i = 4, #ARGV, 3 do
  local side = ARGV[i] == 'b' and 1 or 2
  local price, size = ARGV[i + 1], ARGV[i + 2]
  if tonumber(size) > 0 then
    redis.call('ZADD', KEYS[side], price, price)
    redis.call('HSET', KEYS[side + 2], price, size)
  else
    redis.call('ZREM', KEYS[side], price)
    redis.call('HDEL', KEYS[side + 2], price)
  end
end
local bid = redis.call('ZRANGE', KEYS[1], 0, 0, 'REV')[1]
local ask = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
redis.call('HSET', KEYS[5],
  'best_bid', bid or '', 'bid_size', bid and redis.call('HGET', KEYS[3], bid) or '',
  'best_ask', ask or '', 'ask_size', ask and redis.call('HGET', KEYS[4], ask) or '',
  'version', ARGV[2], 'timestamp', ARGV[3])
return { bid or '', ask or '' }
