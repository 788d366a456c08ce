-- The command as one end of a pipe. The rest of its tests are in tests/command.
local test = require "luge.test"
local process = require "luge.process"
local describe, it = test.describe, test.it

local command = os.getenv "LUGE" or "luge"

describe("cat urls | luge examples/fetch.lua", function()
  it("fetches what comes, and tells what fails", function()
    local server = test.server(function(req)
      return { body = ("x"):rep(tonumber(req.path:sub(2))) }
    end)
    local urls = {}
    for i = 1, 50 do
      urls[i] = ("http://127.0.0.1:%d/%d"):format(server.port, i)
    end
    local lines = table.concat(urls, "\n") .. "\nftp://example.org/\n"
    local result = process.run { command, "examples/fetch.lua", input = lines }
    test.equal(result.code, 0, result.stderr)
    for i, url in ipairs(urls) do
      test.ok(result.stdout:find(("%s\t200\t%d\n"):format(url, i), 1, true), url)
    end
    test.matches(result.stdout, "ftp://example.org/\tinvalid: ")
  end)
end)
