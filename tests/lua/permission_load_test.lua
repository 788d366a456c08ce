-- What the interpreter itself would do for a script: bytecode, C modules, the
-- debug library, modules in files; and what scripts do to get at it.
local test = require "luge.test"
local fs = require "luge.fs"
local describe, it = test.describe, test.it
local permission = dofile "tests/support/permission.lua"

local sandbox = { "--sandbox" }

describe("bytecode", function()
  it("is loaded from nowhere", function()
    local folder <close> = permission.folder()
    local code = string.dump(function() return 7 end)
    folder:write("in/code.lua", code)
    folder:write("in/hash.lua", "#!luge\n" .. code)
    folder:write("code.lua", code)
    test.same(folder:lines({ "--allow-read=in" }, [[
      local code = fs.read "in/code.lua"
      try(load, code)
      try(load, code, "x", "b")
      try(load, "return 1", "x", "b")
      print(load(function() local piece = code code = nil return piece end))
      local first = true
      print(load(function()
        local piece = not first and fs.read("in/code.lua"):sub(2) or "\27"
        first = false
        return piece
      end))
      try(loadfile, "in/code.lua")
      try(loadfile, "in/hash.lua")
      try(dofile, "in/code.lua")
      try(require, "code")
      package.path = "in/?.lua"
      try(require, "hash")
      print(string.dump, ("").dump)
    ]]), {
      "permission\thost\tbytecode", "permission\thost\tbytecode", "permission\thost\tbytecode",
      "nil\tattempt to load a binary chunk (mode is 't')",
      "nil\tattempt to load a binary chunk (mode is 't')",
      "permission\thost\tin/code.lua", "permission\thost\tin/hash.lua",
        "permission\thost\tin/code.lua",
      "permission\thost\t~/code.lua", "permission\thost\tin/hash.lua", "nil\tnil",
    })
  end)
end)

describe("load, loadfile and dofile", function()
  it("do what Lua's own do with text", function()
    local folder <close> = permission.folder()
    folder:write("in/x.lua", "\u{FEFF}#!luge\nlocal a, b = 1, ... return x, a, b, true")
    folder:write("in/bad.lua", "\n\nreturn = 1")
    folder:write("in/waits.lua", "require('luge').sleep(0) return 'waited'")
    test.same(folder:lines({ "--allow-read=in" }, [[
      print(load("return 1, ...")(2))
      print(load("return x", "name", "t", { x = 3 })())
      print(load("return x", "name", "bt", { x = 3 })())
      print(load("x =", "=name"))
      print(load("x =", "@name"))
      print(load("x = ="))
      local pieces = { "return ", "'pie", "ces'" }
      print(load(function() return table.remove(pieces, 1) end)())
      print(load(function() return "" end)())
      print(pcall(load, function() return {} end))
      print(pcall(load, function() error("mine", 0) end))
      print(pcall(load))
      print(select("#", load("")()), load("return _ENV == _G")())
      print(loadfile("in/x.lua", "t", { x = "env" })("arg"))
      print(loadfile("in/bad.lua"))
      print(loadfile("in/missing.lua"))
      print(dofile("in/waits.lua"))
      print(pcall(dofile, "in/bad.lua"))
    ]]), {
      "1\t2", "3", "3", "nil\tname:1: unexpected symbol near <eof>",
      "nil\tname:1: unexpected symbol near <eof>",
      "nil\t[string \"x = =\"]:1: unexpected symbol near '='", "pieces",
      "true\tnil\treader function must return a string", "true\tnil\tmine",
      "false\tbad argument #1 to 'load' (function expected, got no value)",
      "0\ttrue", "env\t1\targ\ttrue", "nil\tin/bad.lua:3: unexpected symbol near '='",
      "nil\tcannot read in/missing.lua: No such file or directory", "waited",
      "false\tin/bad.lua:3: unexpected symbol near '='",
    })
  end)
end)

describe("require", function()
  it("reads Lua modules beside the script, and those that may be read", function()
    local folder <close> = permission.folder()
    folder:write("helper.lua", "return { name = ..., inner = require 'in.inner' }")
    folder:write("in/inner.lua", "return 'inner'")
    fs.mkdir(folder.path .. "/elsewhere")
    folder:write("elsewhere/script.lua", "print(pcall(require, 'helper'))\nprint(require 'beside')")
    folder:write("elsewhere/beside.lua", "return 'beside'")
    test.same(folder:lines(sandbox, [[
      print(require("helper").name, require("helper").inner)
      try(fs.read, "helper.lua")
      try(loadfile, "helper.lua")
      try(require, "luge.http")
      try(require, "luge.nothing")
    ]]), {
      "helper\tinner", "permission\tread\t~/helper.lua", "permission\tread\t~/helper.lua",
        "ok\ttable",
      "error\t~/script.lua:3: module 'luge.nothing' not found:",
    })
    local process = require "luge.process"
    local result = process.run { os.getenv "LUGE", "--sandbox", "elsewhere/script.lua",
      cwd = folder.path,
      env = { LUA_PATH = "?.lua;elsewhere/?.lua" } }
    test.matches(result.stdout, "^false\t.*not permitted: %-%-allow%-read=helper.lua")
    test.matches(result.stdout, "\nbeside\t")
  end)

  it("is not led away by names, nor by package.path", function()
    local folder <close> = permission.folder()
    folder:write("out/m.lua", "return 'out'")
    folder:write("out/text", "return 'text'")
    local process = require "luge.process"
    fs.mkdir(folder.path .. "/app")
    process.run { "ln", "-s", "../out/m.lua", folder.path .. "/app/link.lua", check = true }
    folder:write("app/script.lua", permission.prelude .. [[
      for _, name in ipairs { "../out/m", "..out.m", "/etc/passwd", "a/../../out/m", "m\0",
        "link" } do
        try(require, name)
      end
      local path = package.path
      for _, template in ipairs { "../out/?.lua", "../out/text", "app/../../out/?.lua",
        "/proc/self/?",
          "?", "/etc/?", ";;", "" } do
        package.path = template
        try(require, "m")
        try(require, "environ")
        try(package.searchpath, "m", template)
      end
      package.path = nil
      try(require, "m")
    ]])
    local result = process.run { os.getenv "LUGE", "--sandbox", "script.lua",
      cwd = folder.path .. "/app" }
    test.equal(result.stderr, "")
    for line in result.stdout:gmatch "[^\n]+" do
      test.ok(line:find "^error" or line:find "^ok\tnil", line)
    end
  end)

  it("has no C modules", function()
    local folder <close> = permission.folder()
    test.same(folder:lines({ "--allow-read", "--allow-run" }, [[
      print(package.cpath, #package.searchers)
      package.cpath = "/usr/lib/?.so;./?.so"
      try(require, "probe")
      try(package.loadlib, "./probe.so", "luaopen_probe")
      try(package.loadlib, "*", "*")
      package.preload.mine = function(name, extra) return { name, extra } end
      try(require, "mine")
    ]], { LUA_CPATH = "./?.so" }), {
      "\t4", "error\t~/script.lua:3: module 'probe' not found:", "permission\thost\t./probe.so",
        "permission\thost\t*",
      "ok\ttable",
    })
  end)
end)

describe("the debug library", function()
  it("keeps traceback and getinfo, which show nothing of what was replaced", function()
    local folder <close> = permission.folder()
    test.same(folder:lines(sandbox, [[
      local names = {}
      for name in pairs(debug) do names[#names + 1] = name end
      table.sort(names)
      print(table.concat(names, " "), (debug.traceback("x"):gsub("\n.*", "")),
        debug.getinfo(1).currentline > 0)

      -- functions on the stack, from what they call
      local native = {}
      local function look()
        for level = 1, 20 do
          local info = debug.getinfo(level, "Sf")
          if info and info.what == "C" and info.func then native[info.func] = true end
        end
      end
      load(function() look() end)
      table.sort({ 1, 2, 3 }, function() look() return false end)
      setmetatable(package, { __index = function() look() end })
      pcall(require, "nothing")
      pcall(string.gsub, "x", "x", look)
      print(next(native))
      local function mine() return debug.getinfo(1, "f").func end
      print(mine() == mine, debug.getinfo(print).what, debug.getinfo(0, "n").name)
      local function line(...) return debug.getinfo(...).currentline end
      print(line(coroutine.running(), 2, "l") - line(2, "l"))
    ]]), { "getinfo traceback\tx\ttrue", "nil", "true\tC\tgetinfo", "0" })
  end)
end)

describe("what scripts change", function()
  it("opens nothing", function()
    local folder <close> = permission.folder()
    local lines = folder:lines({ "--allow-read=in" }, [[
      getmetatable("").__index = function() return function() return "in/a" end end
      string.format = function() return "in/a" end
      string.gsub = string.format
      string.sub = string.format
      table.concat = string.format
      pcall(setmetatable, _G, { __index = function() return true end })
      local file = io.open "in/a"
      local meta = getmetatable(file)
      local path = setmetatable({}, { __tostring = function() return "in/a" end })
      try(fs.read, "out/secret")
      try(io.open, "out/secret")
      try(fs.read, path)
      local pcall = pcall
      _G.pcall, _G.error, _G.type, _G.tostring, _G.require = nil, nil, nil, nil, nil
      os.getenv = function() return "in" end
      print(pcall(fs.read, "out/secret"))
      meta.__gc(file)
      meta.__gc(file)
      print(pcall(meta.__index.read, file))
      print(pcall(meta.__index.close, io.stdout))
    ]])
    for i = 1, 3 do
      test.matches(lines[i], i < 3 and "^permission\tread" or "^invalid")
    end
    test.matches(lines[4], "^false\tpermission: ")
    test.matches(lines[5], "^false\t.*closed file")
    test.matches(lines[6], "^false\t")
  end)

  it("keeps what needs no capability", function()
    local folder <close> = permission.folder()
    test.same(folder:lines(sandbox, [[
      local luge = require "luge"
      luge.gather { function() luge.sleep(0.001) end }
      print(require("luge.json").encode { 1, 2 }, os.time() > 0, os.date("%Y") > "2000",
        os.setlocale())
      print(io.type(io.stdout), io.write(""), io.output() == io.stdout, os.clock() >= 0)
      print(utf8.char(228), ("x"):rep(3), math.type(1), collectgarbage "count" > 0)
      require("luge.log").info("quiet")
      print(require("luge.native.log") ~= nil)
    ]]), {
      "[1,2]\ttrue\ttrue\tC", "file\tfile (stdout)\ttrue\ttrue", "ä\txxx\tinteger\ttrue", "true",
    })
  end)

  it("the demo model talks to itself where it may", function()
    local folder <close> = permission.folder()
    local lines = folder:lines({ "--allow-net=127.0.0.1" }, [[
      local llm = require "luge.llm"
      local chain = llm.prompt "Say {word}" | llm.model() | llm.text()
      try(function() return #chain:invoke { word = "hello" } > 0 and "answered" end)
    ]])
    test.same(lines, { "ok\tanswered" })
  end)
end)
