-- With few file descriptors: run by tests/unit/http_faults_test.c.
local luge = require "luge"
local http = require "luge.http"
local test = require "luge.test"

local base = "http://127.0.0.1:" .. os.getenv "LUGE_FAULT_PORT"

test.describe("without descriptors", function()
  test.it("requests raise limit, and go on when there are some again", function()
    local tasks, limited, timed = {}, 0, 0
    for i = 1, 60 do
      tasks[i] = luge.spawn(pcall, http.get, base .. "/silent", { timeout = 0.3 })
    end
    for i = 1, 60 do
      local ok, err = tasks[i]:await()
      test.equal(ok, false)
      if err.kind == "limit" then
        test.equal(err.what, "open files")
        limited = limited + 1
      else
        test.equal(err.kind, "timeout")
        timed = timed + 1
      end
    end
    test.ok(limited > 0, "none was limited")
    test.ok(timed > 0, "none had a descriptor")
    test.equal(http.get(base .. "/interim").body, "ok")
  end)
end)
