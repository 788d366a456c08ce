local fs = require "luge.fs"
local test = require "luge.test"
local rounds = dofile "tests/support/store_kill.lua"

test.it("loses nothing that was acknowledged when the writer is killed", function()
  local dir <close> = fs.temp { directory = true }
  rounds(dir.path .. "/store", 8, 1)
end, { timeout = 60 })
