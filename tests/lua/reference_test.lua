-- The reference and the type files are what scripts/reference makes of the
-- annotations, and these agree with the modules that run.
local process = require "luge.process"
local test = require "luge.test"

describe("scripts/reference", function()
  it("finds nothing to change, and no name without its annotation", function()
    local result = process.run { os.getenv "LUGE", "tools/reference/generate.lua", "--check" }
    test.equal(result.stderr, "")
    test.equal(result.code, 0)
  end, { timeout = 60 })
end)

package.path = "tools/reference/?.lua;" .. package.path
local annotations = require "annotations"
local check = require "check"
local fs = require "luge.fs"
local types = require "types"

describe("the check", function()
  -- The annotations of a module that says what is given here.
  local function model_of(text)
    local file <close> = fs.temp()
    file:write(text)
    local server = { path = "lua/luge/internal/http_server.lua" }
    return annotations.read { { path = file.path, module = "luge.env" },
      { path = "lua/luge/http.lua", module = "luge.http" }, server }
  end

  local function problems_of(text)
    local found = {}
    for _, problem in ipairs(check(model_of(text))) do
      if problem:find "^luge%.env" then found[#found + 1] = problem end
    end
    return found
  end

  it("tells of names without an annotation, wrong parameters, names that are not there", function()
    test.same(problems_of [[
--- Variables.
---@class luge.env
local env = {}

--- Loads.
---@param file? luge.env.File
function env.load(file, options) end

---@type fun(name: string, default?: any): any
env.get = get

--- Is not there.
function env.clear() end
]], {
      "luge.env.clear is annotated, but not there",
      "luge.env.load is said to be a luge.env.File, which is not declared",
      "luge.env.load takes (path, options); its annotation says (file)",
      "luge.env.require has no annotation",
    })
  end)
end)

describe("types", function()
  it("end where they end", function()
    for _, case in ipairs {
      { "string what it is", "string", "what it is" },
      { "{ a: A, b?: fun(x: any): any }? text", "{ a: A, b?: fun(x: any): any }?", "text" },
      { '"a"|"b c"|nil text', '"a"|"b c"|nil', "text" },
      { "fun(a: string, ...): A, B text", "fun(a: string, ...): A, B", "text" },
      { "table<string, any>|A[][]", "table<string, any>|A[][]", "" },
      { "(A|fun())[] text", "(A|fun())[]", "text" },
    } do
      local kind, rest = types.split(case[1])
      test.same({ kind, rest }, { case[2], case[3] })
    end
  end)

  it("go on in the next line while a bracket is open", function()
    test.ok(types.is_open "{ a: string,")
    test.ok(not types.is_open "fun(a: string): { b: number }")
  end)
end)
