-- More of tests/lua/store_kill_test.lua, at other moments each day.
local fs = require "luge.fs"
local test = require "luge.test"
local rounds = dofile "tests/support/store_kill.lua"

test.it("loses nothing that was acknowledged when the writer is killed", function()
  local dir <close> = fs.temp { directory = true }
  for i = 1, 10 do
    rounds(dir.path .. "/store" .. i, 30, os.time() // 86400 * 100 + i)
  end
end, { timeout = 1200 })
