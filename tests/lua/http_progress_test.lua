-- Bodies whose progress is watched, and the time that an answer may take, over
-- all redirects and with all of its body.
local luge = require "luge"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local longer = dofile "tests/support/longer.lua"

local SIZE <const> = 300000
local TEXT <const> = ("x"):rep(SIZE)

local function pieces()
  local left = 10
  return function()
    left = left - 1
    return left >= 0 and TEXT:sub(1, SIZE // 10) or nil
  end
end

describe("progress", function()
  it("is told of both bodies, whatever they are", function()
    local server <close> = http.server { handler = function(req) return req:text() end }
    for _, body in ipairs { TEXT, pieces(), luge.from(pieces()) } do
      local sent, received, to_send, total = 0, 0, nil, nil
      local response = http.post(server.url, {
        body = body,
        on_progress = function(p)
          test.ok((p.sent or sent) >= sent and p.received >= received)
          sent, received, to_send, total = p.sent or sent, p.received, p.to_send or to_send, p.total
        end,
      })
      test.equal(response.body, TEXT)
      test.equal(sent, SIZE)
      test.equal(to_send, body == TEXT and SIZE or nil)
      test.equal(received, SIZE)
      test.equal(total, SIZE)
    end
  end)

  it("changes no answer", function()
    local server <close> = http.server { handler = function(req)
      if req.path == "/from" then return { status = 307, headers = { Location = "/to" } } end
      return { status = 404, headers = { ["X-A"] = "b" }, body = req:text() }
    end }
    for _, method in ipairs { "get", "post", "head", "put" } do
      local calls = 0
      local options = { redirects = 1, on_progress = function() calls = calls + 1 end }
      options.body = (method == "post" or method == "put") and TEXT or nil
      local response = http[method](server.url .. "/from", options)
      test.equal(response.status, 404)
      test.equal(response.headers["x-a"], "b")
      test.equal(response.body, options.body or "")
      test.equal(response.url, server.url .. "/to")
      test.equal(calls > 0, options.body ~= nil)
    end
  end)

  it("may raise, which ends the request", function()
    local left = luge.event()
    local server <close> = http.server { handler = function(req)
      req:text()
      local _ <close> = setmetatable({}, { __close = function() left:set() end })
      return { stream = function(emit)
        while true do emit(TEXT) end
      end }
    end }
    for _, body in ipairs { TEXT, false } do
      local err = test.raises(nil, http.post, server.url, {
        body = body or nil, on_progress = function() error { mine = true } end,
      })
      test.equal(err.mine, true)
    end
    left:wait()
  end)
end)

describe("a whole answer", function()
  it("has the same limits with progress as without", function()
    local server <close> = http.server { handler = function(req)
      if req.path == "/cut" then
        return { stream = function(emit)
          emit "begun"
          luge.sleep(0.02)
          error(luge.error { kind = "closed", message = "breaks" })
        end }
      end
      return { stream = function(emit)
        emit "begun"
        luge.sleep(3600)
      end }
    end, on_error = function() end }
    for _, on_progress in ipairs { function() end, false } do
      local function failure(kind, path, options)
        options.on_progress = on_progress or nil
        local err = test.raises(kind, http.get, server.url .. path, options)
        test.equal(err.phase, "body")
        return err
      end
      longer(0.1, function(seconds)
        local err = failure("timeout", "/", { timeout = seconds })
        test.equal(err.seconds, seconds)
        test.equal(err.partial, "begun")
      end)
      longer(0.1, function(seconds)
        test.equal(failure("timeout", "/", { idle_timeout = seconds }).partial, "begun")
      end)
      test.equal(failure("truncated", "/cut", {}).partial, "begun")
      test.equal(failure("limit", "/", { max_body = 4 }).limit, 4)
    end
  end)

  it("comes in time over all redirects, or not at all", function()
    local server <close> = http.server { handler = function(req)
      luge.sleep(0.06)
      return { status = 302, headers = { Location = req.path .. "x" } }
    end }
    for _, stream in ipairs { false, true } do -- which would take more than a minute
      local start = luge.now()
      longer(0.2, function(seconds)
        local err = test.raises("timeout", http.get, server.url .. "/",
          { timeout = seconds, redirects = 1000, stream = stream })
        test.equal(err.seconds, seconds)
        test.equal(err.phase, "headers")
      end)
      test.ok(luge.now() - start < 50)
    end
  end)
end)
