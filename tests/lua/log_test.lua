local json = require "luge.json"
local log = require "luge.log"
local process = require "luge.process"
local test = require "luge.test"
local describe, it = test.describe, test.it

local command = os.getenv "LUGE" or "luge"

-- What `code` logs, as lines, with variables of the environment.
local function logged(code, env)
  local result = process.run {
    command, "-e", 'local luge, log = require "luge", require "luge.log"\n' .. code,
    env = env or { LUGE_LOG = false },
  }
  test.equal(result.stdout, "")
  local lines = {}
  for line in result.stderr:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines, result.code
end

local function records(code, env)
  local list = logged(code, env)
  for i = 1, #list do
    list[i] = json.decode(list[i])
  end
  return list
end

describe("records", function()
  it("are lines of JSON where no terminal is", function()
    local list = records [[
      log.info("started", { port = 8080, name = "a b", on = true, list = { 1, 2 } })
      log.warn "careful"
      log.error(luge.error { kind = "io", message = "no" })
    ]]
    test.matches(list[1].time, "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$")
    list[1].time = nil
    test.same(list[1], {
      level = "info", message = "started", port = 8080, name = "a b", on = true, list = { 1, 2 },
    })
    test.equal(list[2].level, "warn")
    test.equal(list[3].message, "io: no")
  end)

  it("hold whatever they are given", function()
    local list = records [[
      log.info("a\0b\xFFc\nd", { f = print, n = 0/0, [1] = "one", e = luge.error { kind = "x",
        message = "m" }, s = "\xC3", c = setmetatable({}, { __tostring = error }),
        level = "mine", message = "too", self = (function() local t = {} t.t = t return t end)() })
      log.info(nil)
    ]]
    local record = list[1]
    test.equal(record.message, "a\\0b\u{FFFD}c\nd")
    test.matches(record.f, "^function")
    test.matches(record.n, "nan")
    test.equal(record["1"], "one")
    test.equal(record.e, "x: m")
    test.equal(record.s, "\u{FFFD}")
    test.equal(record.level_, "mine")
    test.equal(record.message_, "too")
    test.matches(record.self, "^table")
    test.equal(list[2].message, "nil")
  end)

  it("inherit the fields of their logger", function()
    local list = records [[
      local fields = { request = 7, user = "x" }
      local child = log.with(fields)
      fields.request = 8
      child.info("one", { user = "y" })
      child.with { step = 2 }.info "two"
      log.info "three"
    ]]
    test.equal(list[1].request, 7)
    test.equal(list[1].user, "y")
    test.equal(list[2].user, "x")
    test.equal(list[2].step, 2)
    test.equal(list[3].request, nil)
  end)

  local no_script = process.run({ "command -v script", shell = true }).code ~= 0
  it("are text on a terminal, which they cannot drive", function()
    local code = [[require "luge.log".warn("a \27[1m", { k = "v w", n = 1 })]]
    local result = process.run {
      "script", "-qec", ("'%s' -e '%s'"):format(command, code), "/dev/null",
      env = { SHELL = "/bin/sh" },
    }
    test.matches(result.stdout, '^%d%d:%d%d:%d%d WARN  a \\x1B%[1m k="v w" n=1\r?\n$')
  end, { skip = no_script and "no script(1)" })
end)

describe("levels", function()
  local all = [[log.debug "d" log.info "i" log.warn "w" log.error "e"]]

  it("follow LUGE_LOG", function()
    for level, count in pairs { debug = 4, INFO = 3, warn = 2, error = 1, off = 0, [""] = 3 } do
      test.equal(#logged(all, { LUGE_LOG = level }), count, level)
    end
    test.equal(#logged(all), 3)
    local lines, code = logged(all, { LUGE_LOG = "loud" })
    test.equal(code, 1)
    test.matches(lines[1], "LUGE_LOG")
  end)

  it("are set and told", function()
    local before = log.level()
    test.equal(log.level "off", before)
    test.equal(log.level(before), "off")
    log.level(before)
    test.raises("invalid", log.level, "loud")
    test.raises("invalid", log.info, "x", 1)
    test.raises("invalid", log.with)
  end)
end)
