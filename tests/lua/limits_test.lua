-- The limits that docs/limits.md names, as they are where a script says nothing
-- of them. How each is told, and moved, is tested with its module.
local luge = require "luge"
local chain = require "luge.chain"
local fs = require "luge.fs"
local http = require "luge.http"
local json = require "luge.json"
local net = require "luge.net"
local process = require "luge.process"
local store = require "luge.store"
local test = require "luge.test"
local worker = require "luge.worker"
local describe, it = test.describe, test.it

local command = os.getenv "LUGE" or "luge"
local KiB <const>, MiB <const> = 1 << 10, 1 << 20
local kilobyte <const> = ("x"):rep(KiB)

local function limited(what, limit, fn, ...)
  local err = test.raises("limit", fn, ...)
  test.equal(err.what, what)
  test.equal(err.limit, limit)
  test.equal(err.retryable, false)
end

describe("by default", function()
  it("files are read up to 64 MiB, their lines up to 16", function()
    limited("bytes", 64 * MiB, fs.read, "/dev/zero")
    limited("bytes", 16 * MiB, function() fs.lines("/dev/zero"):next() end)
  end)

  it("programs print up to 64 MiB", function()
    limited("output", 64 * MiB, process.run, { "cat", "/dev/zero" })
  end)

  it("JSON has up to 128 levels", function()
    local function levels(count)
      return ("["):rep(count) .. ("]"):rep(count)
    end
    local deepest = json.decode(levels(128))
    test.equal(json.encode(deepest), levels(128))
    test.raises("parse", json.decode, levels(129))
    test.raises("invalid", json.encode, { deepest })
  end)

  it("lines of connections have up to 16 MiB", function()
    local listener <close> = net.listen()
    local connection <close> = net.connect("127.0.0.1", listener.port)
    luge.spawn(function()
      local other <close> = listener:accept()
      pcall(other.write, other, kilobyte:rep(17 * KiB))
    end)
    limited("bytes", 16 * MiB, connection.read_line, connection)
    connection:close()
  end)

  it("values have up to 64 MiB, in stores and for workers", function()
    local s <close> = store.memory()
    local text = kilobyte:rep(64 * KiB) .. "x"
    limited("bytes", 64 * MiB, s.put, s, "k", text)
    limited("bytes", 64 * MiB, worker.run, function() end, text)
  end)

  it("answers have heads up to 256 KiB, and 5 redirects", function()
    local server <close> = http.server { handler = function(req)
      return req.path == "/" and { headers = { large = kilobyte:rep(256) } }
        or { status = 302, headers = { location = req.path } }
    end }
    limited("head", 256 * KiB, http.get, server.url)
    limited("redirects", 5, http.get, server.url .. "/loop")
    local headers = { large = kilobyte:rep(256) }
    test.equal(http.get(server.url, { headers = headers }).status, 431)
  end)

  it("sixteen run at once", function()
    local most, running = 0, 0
    local all = luge.barrier(16)
    local function step()
      running = running + 1
      most = math.max(most, running)
      all:wait()
      running = running - 1
    end
    local list = {}
    for i = 1, 32 do
      list[i] = i
    end
    luge.map(list, step)
    test.equal(most, 16)
    most = 0
    chain.fn(step):batch(list)
    test.equal(most, 16)
  end)

  it("lines of standard input have up to 16 MiB, all of it 64", function()
    local code = [[
      local ok, err = pcall(function() return luge.stdin:%s end)
      print(ok, err.kind, err.limit)]]
    for call, limit in pairs { ["lines():next()"] = 16 * MiB, ["all()"] = 64 * MiB } do
      local result = process.run { "sh", "-c", 'exec "$0" -e "$1" </dev/zero', command,
        "luge = require 'luge'" .. code:format(call) }
      test.equal(result.stderr, "")
      test.equal(result.stdout, ("false\tlimit\t%d\n"):format(limit))
    end
  end)
end)
