-- What luge's own `<close>` handlers wait for: behind a shield, so that a task
-- that is being cancelled does it too, and for five seconds at most, so that
-- nothing hangs. Errors of `fn(...)` are raised, except `cancelled`, since most
-- of what is closed ends by that. Where Lua cannot suspend, nothing is waited
-- for.
local native = require "luge.native.task"
local xpcall, pcall, error = xpcall, pcall, error
local shield, timeout, is_error = native.shield, native.timeout, native.is_error
local note_trace = native.note_trace

local SECONDS = 5

return function(fn, ...)
  if not native.can_wait() then
    return
  end
  local ok, err = true, nil
  pcall(shield, timeout, SECONDS, function(...)
    ok, err = xpcall(fn, note_trace, ...)
  end, ...)
  if not ok and not is_error(err, "cancelled") then
    error(err, 0)
  end
end
