-- Takes longer than it may, unless `luge test` is told to be patient.
local luge = require "luge"

it("takes its time", function()
  luge.sleep(0.1)
end, { timeout = 0.01 })
