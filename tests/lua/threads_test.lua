-- Threads that the system does not give: an error, where libuv would abort.
local test = require "luge.test"
local run = dofile "tests/support/command.lua"
local describe, it = test.describe, test.it

-- Room for the command, and not for the stacks of threads.
local FEW <const> = "ulimit -v 30000 && "

describe("without threads", function()
  it("files are a limit error, and what needs none goes on", function()
    if run("print(1)", nil, FEW) ~= "1\n" then
      return -- a sanitizer needs more, or the limit is not ours to set
    end
    local text = run([[
      local fs = require "luge.fs"
      local ok, err = pcall(fs.read, "/etc/passwd")
      print(ok, err.kind, err.what)
      luge.sleep(0.001)
      print(require "luge.process".run { "echo", "on" }.stdout)
    ]], nil, FEW)
    test.equal(text, "false\tlimit\tthreads\non\n\n")
  end)
end)
