-- A test whose `<close>` handler looks at the error; see tests/lua/test_test.lua.
local luge = require "luge"
local it = require("luge.test").it

it("closes", function()
  local _ <close> = setmetatable({}, { __close = function(_, err)
    print(("closed by %s: %s"):format(err.kind, err.message))
  end })
  error(luge.error { kind = "own", message = "on purpose" })
end)
