-- lua-cjson, built into the command.
local test = require "luge.test"
local json = require "luge.json"
local describe, it = test.describe, test.it

describe("cjson", function()
  it("is there, as the command was built", function()
    local cjson = require "cjson"
    test.equal(cjson.encode { 1, 2 }, "[1,2]")
    test.equal(cjson.decode('[null]')[1], json.null)
  end)

  it("has its safe variant", function()
    local value, message = require "cjson.safe".decode "["
    test.equal(value, nil)
    test.equal(type(message), "string")
  end)
end)
