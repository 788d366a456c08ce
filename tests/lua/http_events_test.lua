-- http.events, closed by another task than the one that reads; the rest is in
-- http_session_test.lua.
local http = require "luge.http"
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it

-- What a task gets that is reading while the source is closed.
local function read_and_close(source, is_reading)
  local reader = luge.spawn(source.next, source)
  is_reading()
  source:close()
  local item = luge.timeout(4, reader.await, reader)
  test.equal(item, nil)
  test.equal(source:next(), nil)
end

local function a_moment() luge.sleep(0.02) end

describe("a reader of events that another task closes", function()
  it("gets nil between two events", function()
    local left = luge.event()
    local server <close> = http.server { handler = function()
      return { events = function(emit)
        local _ <close> = setmetatable({}, { __close = function() left:set() end })
        emit "one"
        luge.sleep(60)
      end }
    end }
    local source = http.events(server.url)
    test.equal(source:next().data, "one")
    read_and_close(source, a_moment)
    left:wait()
  end)

  it("gets nil before the answer's head", function()
    local asked, left = luge.event(), luge.event()
    local server <close> = http.server { handler = function()
      local _ <close> = setmetatable({}, { __close = function() left:set() end })
      asked:set()
      luge.sleep(60)
    end }
    read_and_close(http.events(server.url), function() asked:wait() end)
    left:wait()
  end)

  it("gets nil in the pause before the next connection", function()
    local server <close> = http.server { handler = function()
      return { events = luge.from { { data = "one", retry = 60000 } } }
    end }
    local source = http.events(server.url)
    test.equal(source:next().data, "one")
    read_and_close(source, a_moment)
  end)
end)
