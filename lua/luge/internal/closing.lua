-- What luge's own `<close>` handlers wait for: behind a shield, so that a task
-- that is being cancelled does it too, and for five seconds at most, so that
-- nothing hangs. What `fn(...)` raises comes out, but for `cancelled`, which
-- is how most of what is closed ends; and where Lua cannot suspend, nothing is
-- waited for.
local native = require "luge.native.task"
local pcall, error = pcall, error
local shield, timeout, is_error = native.shield, native.timeout, native.is_error

local SECONDS = 5

return function(fn, ...)
  if not native.can_wait() then
    return
  end
  local ok, err = pcall(shield, timeout, SECONDS, fn, ...)
  if not ok and not is_error(err, "cancelled") and not is_error(err, "timeout") then
    error(err, 0)
  end
end
