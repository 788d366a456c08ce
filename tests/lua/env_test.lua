local env = require "luge.env"
local fs = require "luge.fs"
local process = require "luge.process"
local test = require "luge.test"
local run = dofile "tests/support/command.lua"
local describe, it = test.describe, test.it

local file

test.before(function()
  file = fs.temp()
end)

test.after(function()
  file:close()
end)

local function load(text, options)
  fs.write(file.path, text)
  return env.load(file.path, options)
end

local function gives(text, value)
  test.equal(load("V=" .. text).V, value)
end

describe("a dotenv file", function()
  it("has names, values and comments", function()
    test.same(load [[
# comment
A=1
 export B = two words
C=
D=a#b # comment
	E= #all comment

export	F=x=y
G.h_1="q"   # comment
]], { A = "1", B = "two words", C = "", D = "a#b", E = "", F = "x=y", ["G.h_1"] = "q" })
    test.same(load "", {})
    test.same(load "\n\n  \n", {})
    test.same(load "\xEF\xBB\xBFA=1\r\nB=2\r\n", { A = "1", B = "2" })
    test.same(load "A=1\nA=2", { A = "2" })
  end)

  it("has three kinds of quotes", function()
    gives([['a # "b" ${X} \n']], [[a # "b" ${X} \n]])
    gives([["a # 'b' \n\t\"\\ \q"]], "a # 'b' \n\t\"\\ \\q")
    gives([[`it's "so"`]], [[it's "so"]])
    gives([["a" # comment]], "a")
    gives([["two
lines"]], "two\nlines")
    test.same(load "A='x\n#y\n'\nB=1", { A = "x\n#y\n", B = "1" })
    gives("it's", "it's")
    gives([[C:\new]], [[C:\new]])
  end)

  it("interpolates", function()
    test.same(load [[
LT_A=1
B=${LT_A}2
C="${LT_A}-${LT_NONE}-${LT_NONE:-d}-${LT_NONE-e}"
LT_E=
F=${LT_E:-f}${LT_E-g}
G=${LT_NONE:-${LT_A}}
H='${LT_A}'
I=\${LT_A}$LT_A$
J="\${LT_A}"
]], {
      LT_A = "1", B = "12", C = "1--d-e", LT_E = "", F = "f", G = "1", H = "${LT_A}",
      I = "${LT_A}$LT_A$", J = "${LT_A}",
    })
  end)

  it("tells the line that is wrong, and loads nothing then", function()
    local function raises(line, text)
      local err = test.raises("parse", load, text)
      test.equal(err.line, line)
    end
    raises(2, "WRONG_A=1\nno assignment\n")
    test.equal(env.get "WRONG_A", nil)
    raises(1, "A='x\nB=1\n")
    raises(3, "A=1\nB='\n' x\n")
    raises(1, "1A=1")
    raises(1, "A=${B")
    raises(1, "A=${B:?c}")
    raises(1, "export A")
  end)
end)

describe("load", function()
  it("keeps what is set, unless it is to be overridden", function()
    local home = os.getenv "PATH"
    load "PATH=x\nNEW_ONE=1\nP=${PATH}"
    test.equal(os.getenv "PATH", home)
    test.equal(os.getenv "NEW_ONE", "1")
    test.equal(env.get "P", home)
    load "NEW_ONE=2"
    test.equal(env.get "NEW_ONE", "1")
    load("NEW_ONE=3\nP=${NEW_ONE}", { override = true })
    test.equal(env.get "NEW_ONE", "3")
    test.equal(env.get "P", "3")
  end)

  it("is seen by processes", function()
    load "FOR_CHILD='a b'"
    test.equal(process.run({ "echo $FOR_CHILD", shell = true }).stdout, "a b\n")
    test.equal(process.run({ "echo x$FOR_CHILD", shell = true, clear_env = true }).stdout, "x\n")
  end)

  it("raises io for a file that is named and missing, not for .env", function()
    test.raises("io", env.load, file.path .. ".none")
    test.equal(next(env.load()), nil)
    test.raises("invalid", env.load, 1)
  end)
end)

describe("get and require", function()
  it("give values, a default, or the names of all that are missing", function()
    load "HAVE_A=1\nHAVE_B=2\nHAVE_C="
    test.equal(env.get("HAVE_A", "x"), "1")
    test.equal(env.get("HAVE_NOT", "x"), "x")
    test.same({ env.require("HAVE_A", "HAVE_B") }, { "1", "2" })
    local err = test.raises("invalid", env.require, "HAVE_A", "HAVE_NOT", "HAVE_C")
    test.same(err.names, { "HAVE_NOT", "HAVE_C" })
    test.matches(err.message, "HAVE_NOT, HAVE_C")
  end)
end)

describe("--env-file", function()
  it("is loaded before the script, one after another", function()
    fs.write(file.path, "CLI_A=1\nCLI_B=2")
    local text = run([[print(os.getenv "CLI_A", os.getenv "CLI_B")]],
      "--env-file " .. file.path .. " --env-file=" .. file.path)
    test.equal(text, "1\t2\n")
  end)

  it("that is missing or wrong is an error", function()
    local text, status = run("print(1)", "--env-file /no/such")
    test.matches(text, "cannot read /no/such: no such file")
    test.equal(status, 1)
    fs.write(file.path, "wrong")
    text, status = run("print(1)", "--env-file " .. file.path)
    test.matches(text, ":1: this is no NAME=value")
    test.equal(status, 1)
  end)
end)
