-- Environment variables, programs, and the audit.
local test = require "luge.test"
local fs = require "luge.fs"
local json = require "luge.json"
local process = require "luge.process"
local describe, it = test.describe, test.it
local permission = dofile "tests/support/permission.lua"

local bin = process.run({ "pwd", "-P", cwd = "/bin", check = true }).stdout:sub(1, -2)
local no_shell = "permission\trun\t" .. bin .. "/sh"

describe("environment variables", function()
  it("are read by name, or by how it begins", function()
    local folder <close> = permission.folder()
    local env = { MINE = "1", MY_A = "2", MY_B = "3", MYSELF = "4" }
    test.same(folder:lines({ "--allow-env=MINE,MY_*", "--deny-env=MY_B" }, [[
      local env = require "luge.env"
      for _, name in ipairs { "MINE", "MY_A", "MY_B", "MYSELF", "mine", "MY_UNSET", "" } do
        try(os.getenv, name)
        try(env.get, name)
      end
      print(select(2, pcall(os.getenv, "MINE\0")).kind)
      try(env.require, "MINE", "MYSELF")
    ]], env), {
      "ok\t1", "ok\t1", "ok\t2", "ok\t2", "permission\tenv\tMY_B", "permission\tenv\tMY_B",
      "permission\tenv\tMYSELF", "permission\tenv\tMYSELF", "permission\tenv\tmine",
      "permission\tenv\tmine", "ok\tnil", "ok\tnil", "permission\tenv\t", "permission\tenv\t",
      "invalid",
      "permission\tenv\tMYSELF",
    })
  end)

  it("of a dotenv file are the command's to load, and no less secret", function()
    local folder <close> = permission.folder()
    folder:write("secrets.env", "TOKEN=secret\nOTHER=x\n")
    test.same(folder:lines({ "--env-file", "secrets.env", "--allow-env=OTHER" }, [[
      try(os.getenv, "TOKEN")
      try(os.getenv, "OTHER")
      try(fs.read, "secrets.env")
      try(require("luge.env").load, "secrets.env")
      print(require("luge.native.environment").loaded)
    ]]), {
      "permission\tenv\tTOKEN", "ok\tx", "permission\tread\t~/secrets.env",
      "permission\tread\t~/secrets.env", "nil",
    })
  end)

  it("that luge itself looks at are no reason to fail", function()
    local folder <close> = permission.folder()
    local result = folder:run({ "--allow-write" }, [[
      require("luge.log").debug("hidden")
      require("luge.log").error("told")
      require("luge.fs").temp():close()
      print(require("luge.llm").model() ~= nil)
    ]], { LUGE_LOG = "off", TMPDIR = "/nowhere", LUGE_MODEL = "none" })
    test.equal(result.stdout, "true\n")
    test.matches(result.stderr, "told")
  end)
end)

local variables = [[
  local function names(...)
    local seen = {}
    for name in require("luge.process").run({ ... }).stdout:gmatch "([%w_]+)=[^\n]*" do
      seen[#seen + 1] = name
    end
    table.sort(seen)
    return table.concat(seen, " ")
  end
]]

describe("programs", function()
  it("get the variables that the script may read, and a few that are needed", function()
    local folder <close> = permission.folder()
    local result = process.run {
      os.getenv "LUGE", "--allow-run=env", "--allow-env=MINE",
      folder:write("script.lua", variables .. [[
        print(names("env"))
        local run = require("luge.process").run
        print((run({ "env", env = { NEW = "1" }, clear_env = true }).stdout:gsub("\n", "")))
        local seen = run({ "env", env = { NEW = "1", HOME = false } }).stdout
        print(seen:find "NEW=1" ~= nil, seen:find "MINE=m" ~= nil)
        print(seen:find "HOME=", seen:find "SECRET")
        for _, name in ipairs { "LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES" } do
          local ok, err = pcall(run, { "env", env = { [name] = "./evil.so" } })
          print(ok, err.capability, err.resource)
        end
      ]]),
      env = { PATH = os.getenv "PATH", MINE = "m", SECRET = "s", HOME = "/", LC_ALL = "C" },
      clear_env = true,
    }
    test.equal(result.stdout, table.concat({
      "HOME LC_ALL MINE PATH", "NEW=1", "true\ttrue", "nil\tnil", "false\trun\tLD_PRELOAD",
      "false\trun\tLD_LIBRARY_PATH", "false\trun\tDYLD_INSERT_LIBRARIES", "",
    }, "\n"), result.stderr)
  end)

  it("are what was found for their names, whatever the script calls PATH", function()
    local folder <close> = permission.folder()
    for _, name in ipairs { "in/env", "in/tool", "out/env" } do
      folder:write(name, "#!/bin/sh\necho evil\n")
      process.run { "chmod", "+x", folder.path .. "/" .. name, check = true }
    end
    process.run { "ln", "-s", "tool", folder.path .. "/in/mylink", check = true }
    test.same(folder:lines({ "--allow-run=env,in/mylink" }, [[
      local run = require("luge.process").run
      local function output(command)
        try(function() return run(command).stdout:match "evil" or "good" end)
      end
      output { "env", env = { PATH = "in" } }
      output { "env", cwd = "in" }
      output { "./env" }
      output { "./env", cwd = "in" }
      output { "in/env" }
      output { "in/mylink" }
      output { "mylink", cwd = "in" }
      output { "./mylink", cwd = "in" }
      output { "in/tool" }
      output { "in/../in/mylink" }
      output { "sh" }
      output { "no-such-program" }
      output { "echo x", shell = true }
      try(os.execute, "echo x")
      try(io.popen, "echo x")
    ]]), {
      "ok\tgood", "ok\tgood", "permission\trun\t~/env", "permission\trun\t~/in/env",
      "permission\trun\t~/in/env", "ok\tevil", "permission\trun\tmylink", "ok\tevil",
      "permission\trun\t~/in/tool", "ok\tevil", no_shell,
      "permission\trun\tno-such-program", no_shell, no_shell,
      no_shell,
    })
  end)

  it("are denied by where they lead to", function()
    local folder <close> = permission.folder()
    process.run { "ln", "-s", "/bin/sh", folder.path .. "/in/mine", check = true }
    test.same(folder:lines({ "--allow-run", "--deny-run=sh" }, [[
      local process = require "luge.process"
      try(os.execute, "true")
      try(process.run, { "in/mine", "-c", "true" })
      try(process.run, { "/bin/../bin/sh", "-c", "true" })
      try(process.run, { "true" })
      try(process.run, { "no-such-program" })
    ]]), {
      no_shell, "permission\trun\t~/in/mine", no_shell,
      "ok\ttable", "process\tENOENT\tnil",
    })
  end)
end)

describe("the audit", function()
  it("has a line for each decision", function()
    local folder <close> = permission.folder()
    folder:write("in/\xFF\"\n\u{20AC}", "x")
    folder:lines({ "--allow-read=in", "--audit=audit.jsonl" }, [[
      fs.read "in/a"
      pcall(fs.read, "out/secret")
      fs.read "in/\xFF\"\n\u{20AC}"
      pcall(os.getenv, "HOME")
    ]])
    local lines = {}
    for line in folder:read("audit.jsonl"):gmatch "[^\n]+" do
      local entry = json.decode(line)
      test.matches(entry.time, "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$")
      lines[#lines + 1] = ("%s %s %s %s %s"):format(entry.operation, entry.capability,
        entry.resource:gsub("^.*/", ""), entry.decision, entry.rule)
    end
    test.same(lines, {
      "fs.read read a allow --allow-read=in", "fs.read read secret deny ",
      "fs.read read \u{FFFD}\u{FF}\"\n\u{20AC} allow --allow-read=in", "env.get env HOME deny ",
    })
  end)

  it("is added to, and not the script's to change", function()
    local folder <close> = permission.folder()
    folder:write("in/audit", "before\n")
    folder:lines({ "--allow-write", "--allow-read", "--audit=in/audit" }, [[
      pcall(fs.write, "in/audit", "")
      pcall(fs.remove, "in/audit")
      pcall(fs.remove, "in", { recursive = true })
      pcall(fs.rename, "in", "elsewhere")
      pcall(io.open, "in/audit", "w")
    ]])
    local text = folder:read "in/audit"
    test.matches(text, "^before\n{")
    test.equal(select(2, text:gsub('"rule":"%-%-deny%-write=in/audit"', "")), 5)
  end)

  it("that cannot be written ends what is allowed", function()
    if not fs.exists "/dev/full" then return end
    local folder <close> = permission.folder()
    local result = folder:run({ "--allow-read", "--audit=/dev/full" }, permission.prelude .. [[
      try(fs.read, "in/a")
      try(fs.read, "in/a")
    ]])
    test.equal(result.stdout, ("permission\tread\t%s/in/a\n"):format(folder.path):rep(2))
    test.matches(result.stderr, "^luge: cannot write to /dev/full: No space left on device\n$")
    test.equal(result.code, 1)
  end)

  it("alone tells what a script would need", function()
    local folder <close> = permission.folder()
    folder:lines({ "--audit", "audit.jsonl" }, [[
      io.open("in/a"):close()
      os.getenv "HOME"
      require("luge.process").run { "true" }
      assert(string.dump(print == nil and print or function() end) and debug.sethook)
    ]])
    local _, count = folder:read("audit.jsonl"):gsub('"decision":"allow","rule":"trusted"', "")
    test.equal(count, 3)
  end)
end)
