-- Forget every token that an earlier trader watched: its keys would never be written again.
-- KEYS[1] set of watched tokens; ARGV: per token, the key patterns to delete, with * for the token
local tokens = redis.call('SMEMBERS', KEYS[1])
for _, token in ipairs(tokens) do
  for _, pattern in ipairs(ARGV) do
    redis.call('DEL', (string.gsub(pattern, '%*', function() return token end)))
  end
end
redis.call('DEL', KEYS[1])
return #tokens
