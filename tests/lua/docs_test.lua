-- The documentation: its Lua compiles, and runs where it is marked so; every
-- name of luge in it exists; its links lead to something.
--
-- A block that begins with ```lua run is a whole program; the block ```text
-- behind it is what it prints, where "..." is any text.
local docs = dofile "tests/support/docs.lua"
local is_expected = dofile "tests/support/expect.lua"
local fs = require "luge.fs"
local process = require "luge.process"
local test = require "luge.test"

local function run(block)
  local result = process.run {
    os.getenv "LUGE", "-", input = block.text,
    env = { LUGE_MODEL = false, OPENAI_API_KEY = false, LUGE_LOG = false },
  }
  test.equal(result.stderr, "", block.where)
  test.equal(result.code, 0, block.where)
  if block.output and not is_expected(result.stdout, block.output) then
    test.equal(result.stdout, block.output, block.where)
  end
end

describe("the documentation", function()
  it("has Lua that compiles", function()
    for _, path in ipairs(docs.pages()) do
      for _, block in ipairs(docs.blocks(path)) do
        if block.info:find "^lua" then
          local ok, message = load(block.text, "=" .. block.where)
          test.ok(ok, message)
        end
      end
    end
  end)

  for _, path in ipairs(docs.pages()) do
    local blocks = {}
    for _, block in ipairs(docs.blocks(path)) do
      blocks[#blocks + 1] = block.info == "lua run" and block or nil
    end
    if #blocks > 0 then
      it("runs as it says: " .. path, function()
        for _, block in ipairs(blocks) do run(block) end
      end, { timeout = 60 })
    end
  end

  it("has a picture of what the README's program prints", function()
    local result = process.run { os.getenv "LUGE", "tools/picture.lua", "--check" }
    test.equal(result.stderr, "")
  end)

  it("has links that lead to something", function()
    for _, path in ipairs(docs.pages()) do
      for _, link in ipairs(docs.links(path)) do
        test.ok(fs.exists(link), ("%s links to %s"):format(path, link))
      end
    end
  end)

  it("can be found from its index", function()
    local linked = {}
    for _, index in ipairs { "docs/README.md", "examples/README.md" } do
      for _, link in ipairs(docs.links(index)) do
        linked[link:gsub("[^/]+/%.%./", "")] = true
      end
    end
    for _, entry in ipairs(fs.walk("docs"):collect()) do
      local is_page = entry.depth == 1 and entry.name:find "%.md$" and entry.name ~= "README.md"
      test.ok(not is_page or linked[entry.path], entry.path .. ": docs/README.md does not link it")
    end
    for _, entry in ipairs(fs.walk("examples"):collect()) do
      local is_program = entry.name:find "%.lua$" or entry.name:find "%.c$"
      test.ok(not is_program or linked[entry.path],
        entry.path .. ": examples/README.md does not link it")
    end
  end)

  it("names what there is", function()
    local unknown = dofile "tests/support/names.lua"
    local list = {}
    for _, path in ipairs(docs.pages()) do
      unknown(docs.code(path), list)
    end
    test.equal(table.concat(list, "\n"), "")
  end)

  it("names what luge.h has", function()
    local header = fs.read "include/luge.h"
    for _, path in ipairs(docs.pages()) do
      for name in fs.read(path):gmatch "%f[%w_]luge_%a[%w_]*" do -- `luge_start_*` is several
        local pattern = "%f[%w_]" .. name .. (name:find "_$" and "" or "%f[^%w_]")
        test.ok(header:find(pattern), ("%s: luge.h has no %s"):format(path, name))
      end
    end
  end)

  it("would be told of names that there are not", function()
    local unknown = dofile "tests/support/names.lua"
    local list = {}
    unknown({
      { where = "1", text = 'http.gett(url) luge.wait.fixd(1) luge.http.get "x" luge.Stream' },
      { where = "2", text = 'stream:tkae(2):map(f) ("x"):rep(2) luge.h' },
    }, list)
    test.same(list, {
      "1: there is no http.gett", "1: there is no luge.wait.fixd", "2: there is no :tkae",
    })
  end)
end)
