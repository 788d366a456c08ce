-- A file whose last call had failed was closed only when the collector found
-- that call, and its `close` did not wait.
local fs = require "luge.fs"
local test = require "luge.test"

test.it("closes a file at once after a call that failed", function()
  local function count()
    return #fs.list "/proc/self/fd"
  end
  local before = count()
  local file = fs.open "/dev/null"
  test.raises("io", file.write, file, "x") -- it is open for reading
  collectgarbage "stop"
  file:close()
  local after = count()
  collectgarbage "restart"
  test.equal(after, before)
end)
