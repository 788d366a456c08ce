-- `luge help`: entries of the reference on the terminal.
local process = require "luge.process"
local test = require "luge.test"

local function help(...)
  return process.run { os.getenv "LUGE", "help", ..., env = { COLUMNS = "60" } }
end

describe("luge help", function()
  it("lists the modules", function()
    local result = help()
    test.equal(result.code, 0)
    for _, name in ipairs { "luge", "luge.http", "luge.llm", "luge.flow" } do
      test.matches(result.stdout, "\n  " .. name:gsub("%.", "%%.") .. "\n")
    end
  end)

  it("prints a function, wrapped", function()
    test.equal(help("luge.env.get").stdout, [[
env.get(name, default?) -> string|any

The value of a variable, or `default`.

- `name`: `string`
- `default?`
]])
    for line in help("map").stdout:gmatch "[^\n]+" do
      test.ok(#line <= 60 or not line:find "^%s*%S+%s", line)
    end
  end)

  it("finds names by their ends, methods with either sign, in any case", function()
    local method = help("luge.Stream:take").stdout
    test.matches(method, "^stream:take%(n%)")
    test.equal(help("stream.take").stdout, method)
    test.equal(help("TAKE").stdout, method)
    test.matches(help("get").stdout, "^%d+ entries are called get:")
  end)

  it("lists what a class and a module have", function()
    test.matches(help("Queue").stdout, "\n  queue:try_put%(item%) %-> boolean\n")
    test.matches(help("luge.env").stdout, "\n  env.require%(%.%.%.%)")
  end)

  it("says what is like a name that is not there", function()
    local result = help("Straem:map")
    test.equal(result.code, 1)
    test.equal(result.stdout, "")
    test.matches(result.stderr, "has no 'Straem:map'; did you mean luge.Stream:map")
    test.matches(help("chain.batch").stderr, "luge.Runnable:batch")
    test.matches(help("qqqqqqqq").stderr, "`luge help` lists the modules")
  end)

  it("explains itself", function()
    test.matches(help("--help").stdout, "^usage: luge help")
  end)
end)

describe("the text of an entry", function()
  local new_text = require "luge.internal.help_text"

  local function set(width, is_terminal, lines)
    local text = new_text(width, is_terminal)
    text:markdown(lines, "")
    return text:string()
  end

  it("is bold on terminals only, and counts what is seen", function()
    local lines = { "aaa `bbb` ccc ddd" }
    test.equal(set(13, false, lines), "aaa `bbb` ccc\nddd\n")
    test.equal(set(11, true, lines), "aaa \27[1mbbb\27[0m ccc\nddd\n")
  end)

  it("keeps code as it is, and sets lists in", function()
    test.equal(set(12, false, { "- one two", "  three four", "", "```", "a   b", "```" }),
      "- one two\n  three four\n\n    a   b\n")
  end)
end)
