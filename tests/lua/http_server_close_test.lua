-- What becomes of handlers, and of what they spawned, when a server closes.
local http = require "luge.http"
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it

-- Resolves the future with `value` when the block is left.
local function at_end(future, value)
  return setmetatable({}, { __close = function() future:resolve(value) end })
end

describe("what a handler left running", function()
  local ended, server
  test.before_each(function()
    ended = luge.future()
    server = http.server { handler = function(req)
      luge.spawn(function()
        local _ <close> = at_end(ended, "ended")
        luge.sleep(tonumber(req.query.seconds))
      end)
      return "answered"
    end }
  end)

  it("is cancelled when the server closes", function()
    test.equal(http.get(server.url .. "?seconds=60").body, "answered")
    server:close()
    test.ok(ended:done())
    test.equal(server.task:status(), "done")
  end)

  it("has the time that the server gives", function()
    test.equal(http.get(server.url .. "?seconds=0.05").body, "answered")
    server:close(60)
    test.ok(ended:done())
  end)

  it("is cancelled after that time", function()
    test.equal(http.get(server.url .. "?seconds=60").body, "answered")
    server:close(0.01)
    test.ok(ended:done())
  end)
end)

describe("a server", function()
  it("is closed by a task that its handler spawned", function()
    local server, closed = nil, luge.event()
    server = http.server { handler = function()
      luge.spawn(function()
        server:close()
        luge.sleep(0) -- and is not cancelled itself
        closed:set()
      end)
      return "bye"
    end }
    test.equal(http.get(server.url).body, "bye")
    luge.timeout(4, closed.wait, closed)
    server.task:await()
  end)

  it("is closed by a task that its handler waits for, which still answers", function()
    local server
    server = http.server { handler = function()
      luge.await(luge.spawn(server.close, server, 0.01))
      return "bye"
    end }
    test.equal(http.get(server.url).body, "bye")
  end)

  it("is closed by what makes an answer, which is whole", function()
    local server, left = nil, luge.future()
    server = http.server { handler = function(req)
      if req.path == "/other" then
        local _ <close> = at_end(left, "cancelled")
        luge.sleep(60)
      end
      return { stream = luge.stream(function(emit)
        emit "a"
        server:close()
        emit "b"
      end) }
    end }
    local other = luge.spawn(pcall, http.get, server.url .. "/other")
    luge.sleep(0.01)
    test.equal(http.get(server.url).body, "ab")
    test.equal(left:await(), "cancelled")
    test.equal((other:await()), false)
  end)

  it("is closed by several tasks at once", function()
    local server = http.server { handler = function() luge.sleep(60) end }
    local request = luge.spawn(pcall, http.get, server.url)
    luge.sleep(0.01)
    luge.gather {
      function() server:close(60) end, function() server:close(0.01) end,
      function() server:close() end,
    }
    test.equal((request:await()), false)
  end)
end)
