-- Requests cancelled at many moments of their life: at once each time, with
-- their handlers, and so that the server is told.
local luge = require "luge"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it
local closing = dofile("tests/support/tasks.lua").closing
local quickest = dofile "tests/support/quickest.lua"

local MOMENTS = require("luge.native.testrun").patience > 1 and 6 or 12

-- Seconds that a cancellation may take.
local PROMPT <const> = 0.05

describe("a cancelled request", function()
  local server, inside = nil, 0

  local function handle(req)
    inside = inside + 1
    local _ <close> = closing(function() inside = inside - 1 end)
    if req.path == "/never" then
      luge.sleep(3600)
    elseif req.path == "/slow" then
      luge.sleep(0.01)
    elseif req.path == "/stream" then
      return { stream = function(emit)
        for _ = 1, 20 do
          emit(("x"):rep(10000))
          luge.sleep(0.001)
        end
      end }
    elseif req.path == "/events" then
      return { events = function(emit)
        for i = 1, 20 do
          emit { data = tostring(i) }
          luge.sleep(0.001)
        end
      end }
    end
    return req:text()
  end

  test.before(function() server = test.server(handle) end)

  local requests = {
    ["a short answer"] = function() return http.get(server.url .. "/").body end,
    ["a slow head"] = function() http.get(server.url .. "/slow") end,
    ["no answer"] = function() http.get(server.url .. "/never") end,
    ["a body to send"] = function()
      local text = ("y"):rep(2000000)
      test.equal(#http.post(server.url .. "/", { body = text }).body, #text)
    end,
    ["a streamed body"] = function()
      local response <close> = http.get(server.url .. "/stream", { stream = true })
      for _ in response:chunks() do
        luge.sleep(0)
      end
    end,
    ["events"] = function()
      local response <close> = http.get(server.url .. "/events", { stream = true })
      for _ in response:events() do
        luge.sleep(0)
      end
    end,
    ["a name to look up"] = function()
      pcall(http.get, "http://nobody.invalid/", { connect_timeout = 1 })
      luge.sleep(0)
    end,
  }

  for name, request in pairs(requests) do
    it("ends at once: " .. name, function()
      local function cancel_at(moment)
        local opened, closed = 0, 0
        local task = luge.spawn(function()
          opened = opened + 1
          local _ <close> = closing(function() closed = closed + 1 end)
          request()
        end)
        luge.sleep(0)
        if moment > 0 then
          luge.sleep(moment * 0.0014)
        end
        local start = luge.now()
        task:cancel "here"
        local ok, err = pcall(luge.await, task)
        test.ok(ok or luge.is_error(err, "cancelled"), err)
        test.equal(closed, opened)
        return luge.now() - start
      end
      for moment = 0, MOMENTS do
        test.ok(quickest(PROMPT, function() return cancel_at(moment) end), "it was not prompt")
      end
    end, { timeout = 20 })
  end

  it("leaves none with the server", function()
    while inside > 0 do -- the test's own time ends this
      luge.sleep(0.005)
    end
  end)
end)
