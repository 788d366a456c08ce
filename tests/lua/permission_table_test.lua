-- No second door: every function that a script can call is told in the table of
-- operations (src/mod/operations.c), and each that does something outside is
-- called with its capability denied and all others allowed. A new function
-- fails here until it is told, and called.
local test = require "luge.test"
local describe, it = test.describe, test.it
local native = require "luge.native.permission"
local permission = dofile "tests/support/permission.lua"

-- Function, the capability that is denied, and the call, as code.
local calls = {
  { "_G.dofile", "read", "dofile('in/a')" },
  { "_G.loadfile", "read", "loadfile('in/a')" },
  { "_G.load", "host", "load('\\27Lua')" },
  { "_G.load", "host", "load('return 1', 'x', 'b')" },
  { "io.open", "read", "io.open('in/a')" },
  { "io.open", "write", "io.open('in/a', 'w')" },
  { "io.open", "write", "io.open('in/new', 'a')" },
  { "io.open", "write", "io.open('in/a', 'r+')" },
  { "io.open", "read", "io.open('in/a', 'w+')" },
  { "io.lines", "read", "io.lines('in/a')" },
  { "io.input", "read", "io.input('in/a')" },
  { "io.output", "write", "io.output('in/a')" },
  { "io.popen", "run", "io.popen('true')" },
  { "io.popen", "run", "table.sort({1, 2}, function() io.popen('true') end)" },
  { "io.tmpfile", "write", "io.tmpfile()" },
  { "os.execute", "run", "os.execute('true')" },
  { "os.execute", "run", "table.sort({1, 2}, function() os.execute('true') end)" },
  { "os.getenv", "env", "os.getenv('HOME')" },
  { "os.remove", "write", "os.remove('in/a')" },
  { "os.rename", "write", "os.rename('in/a', 'in/b')" },
  { "os.rename", "read", "os.rename('in/a', 'in/b')" },
  { "os.setlocale", "host", "os.setlocale('C')" },
  { "os.tmpname", "write", "os.tmpname()" },
  { "package.loadlib", "host", "package.loadlib('libm.so', '*')" },
  { "luge.native.environment.get", "env", "require('luge.env').get('HOME')" },
  { "luge.native.fs.append", "write", "fs.append('in/a', 'x')" },
  { "luge.native.fs.copy", "read", "fs.copy('in/a', 'in/b')" },
  { "luge.native.fs.copy", "write", "fs.copy('in/a', 'in/b')" },
  { "luge.native.fs.list", "read", "fs.list('in')" },
  { "luge.native.fs.list", "read", "fs.walk('in')" },
  { "luge.native.fs.mkdir", "write", "fs.mkdir('in/d')" },
  { "luge.native.fs.mkdir", "write", "fs.mkdir('in/d/e', { parents = true })" },
  { "luge.native.fs.open", "read", "fs.open('in/a')" },
  { "luge.native.fs.open", "write", "fs.open('in/a', 'r+')" },
  { "luge.native.fs.open", "read", "fs.open('in/a', 'a'):stat()" },
  { "luge.native.fs.read", "read", "fs.read('in/a')" },
  { "luge.native.fs.remove", "write", "fs.remove('in/a')" },
  { "luge.native.fs.remove", "write", "fs.remove('in', { recursive = true })" },
  { "luge.native.fs.rename", "write", "fs.rename('in/a', 'in/b')" },
  { "luge.native.fs.rename", "read", "fs.rename('in/a', 'in/b')" },
  { "luge.native.fs.stat", "read", "fs.stat('in/a')" },
  { "luge.native.fs.stat", "read", "fs.exists('in/a')" },
  { "luge.native.fs.temporary", "write", "fs.temp { dir = 'in' }" },
  { "luge.native.fs.watch", "read", "fs.watch('in')" },
  { "luge.native.fs.write", "write", "fs.write('in/a', 'x')" },
  { "luge.native.http_server.listen", "net", "require('luge.http').server { handler = print }" },
  { "luge.native.http_server.listen", "write",
    "require('luge.http').server { path = 'in/socket', handler = print }" },
  { "luge.native.net.dial", "net", "require('luge.net').connect('127.0.0.1', 9)" },
  { "luge.native.net.dial_path", "write", "require('luge.net').connect { path = 'in/a' }" },
  { "luge.native.net.dial_path", "read", "require('luge.net').connect { path = 'in/a' }" },
  { "luge.native.net.dial_path", "write", "require('luge.net').connect { path = '@a' }" },
  { "luge.native.net.listen", "net", "require('luge.net').listen()" },
  { "luge.native.net.listen_path", "write", "require('luge.net').listen { path = 'in/b' }" },
  { "luge.native.net.listen_path", "read", "require('luge.net').listen { path = 'in/b' }" },
  { "luge.native.net.resolve", "net", "require('luge.net').lookup('localhost')" },
  { "luge.native.process.spawn", "run", "require('luge.process').run { 'true' }" },
  { "luge.native.process.spawn", "run", "require('luge.process').spawn { '/bin/true' }" },
  { "luge.native.process.spawn", "run", "require('luge.process').run { 'true', shell = true }" },
  { "luge.native.process.spawn", "run", "require('luge.process').run { 'no such program' }" },
  { "luge.native.store.open", "read", "require('luge.store').sqlite('in/store')" },
  { "luge.native.store.open", "write", "require('luge.store').sqlite('in/store')" },
}

-- What has no call: it is gone where anything is denied, or tells by other
-- means; see permission_load_test.lua.
local without_call = {
  ["_G.require"] = true, ["package.searchpath"] = true, ["string.dump"] = true,
  ["luge.native.http_client.fetch"] = true, -- permission_net_test.lua
  ["luge.native.http_client.open"] = true,
  ["luge.native.signal.watch"] = true, -- the command allows signals
}

local libraries = {
  _G = _G, coroutine = coroutine, debug = debug, io = io, math = math, os = os,
  package = package, string = string, table = table, utf8 = utf8,
}

-- Every function that scripts can get at, by its full name.
local function each_function(visit)
  for name in pairs(package.preload) do
    if name:find "^luge%.native%." then
      libraries[name] = require(name)
    end
  end
  for library, functions in pairs(libraries) do
    for name, value in pairs(functions) do
      if type(value) == "function" and type(name) == "string" then
        visit(library .. "." .. name)
      end
    end
  end
end

local luge_modules = { "describe", "it", "before", "after", "before_each", "after_each" }
for _, name in ipairs(luge_modules) do
  luge_modules[name] = true
end

describe("the table of operations", function()
  it("tells what every function does", function()
    local missing = {}
    each_function(function(name)
      if not native.of(name) and not luge_modules[name:match "^_G%.(.*)"] then
        missing[#missing + 1] = name
      end
    end)
    test.equal(table.concat(missing, " "), "", "not in src/mod/operations.c")
  end)

  it("has a call of every function that does something outside", function()
    local called, missing = {}, {}
    for _, call in ipairs(calls) do
      called[call[1]] = true
    end
    each_function(function(name)
      local operation, capability = native.of(name)
      local gone = capability == "host" and name:find "^debug%." or name:find "%.test%l+%."
      if operation ~= "none" and operation and not (called[name] or without_call[name] or gone) then
        missing[#missing + 1] = name
      end
    end)
    test.equal(table.concat(missing, " "), "", "never called in this file")
  end)
end)

local capabilities = { "net", "read", "write", "env", "run" }

local function options_without(denied)
  local options = { "--audit", "audit.jsonl" }
  for _, capability in ipairs(capabilities) do
    options[#options + 1] = "--allow-" .. capability
  end
  if denied ~= "host" then
    options[#options + 1] = "--deny-" .. denied
  end
  return options
end

local function calls_of(denied)
  local code, count = {}, 0
  for _, call in ipairs(calls) do
    if call[2] == denied then
      count = count + 1
      code[count] = ("try(function() %s end)"):format(call[3])
    end
  end
  return table.concat(code, "\n"), count
end

describe("a capability that is denied", function()
  for _, denied in ipairs { "net", "read", "write", "env", "run", "host" } do
    it(denied .. " has no second door, and is audited", function()
      local folder <close> = permission.folder()
      local code, count = calls_of(denied)
      local lines = folder:lines(options_without(denied), code)
      test.equal(#lines, count)
      for i, line in ipairs(lines) do
        test.matches(line, "^permission\t" .. denied .. "\t", ("call %d"):format(i))
      end
      test.equal(folder:read "in/a", "a\n")
      local _, told = folder:read("audit.jsonl")
        :gsub(('"capability":"%s","resource":"[^\n]-","decision":"deny"'):format(denied), "")
      test.equal(told, count)
    end)
  end

  it("leaves nothing of what is for tests alone", function()
    local folder <close> = permission.folder()
    local lines = folder:lines({ "--allow-read" }, [[
      try(require("luge.native.testchild").spawn, { "--version" })
      try(require("luge.native.testrun").give_up)
      try(require("luge.native.testrun").report, "x")
      local open = package.preload["luge.native.testrun"]
      package.loaded["luge.native.testrun"] = nil
      try(open("luge.native.json").report, "x")
      print(open("luge.native.json") == require("luge.native.testrun"))
      print(package.preload["luge.native.task"]() == require("luge.native.task"))
    ]])
    test.same(lines, {
      "permission\thost\tluge.native.testchild.spawn",
      "permission\thost\tluge.native.testrun.give_up",
      "permission\thost\tluge.native.testrun.report",
      "permission\thost\tluge.native.testrun.report", "true", "true",
    })
  end)
end)
