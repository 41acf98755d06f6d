-- Append an event to its stream and publish it with its stream id, in one step.
-- KEYS[1] stream; ARGV[1] channel, ARGV[2] how many entries the stream keeps (about), ARGV[3] encoded Event, ARGV[4] tag byte of Event.stream_id
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'event', ARGV[3])
redis.call('PUBLISH', ARGV[1], ARGV[3] .. ARGV[4] .. string.char(#id) .. id)
return id
