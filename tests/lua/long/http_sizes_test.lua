-- Bodies longer than 32 bits count, up and down, through a few buffers; and a
-- million requests, which leave nothing behind.
local test = require "luge.test"
local http = require "luge.http"
local describe, it = test.describe, test.it

local many = dofile "tests/support/many_requests.lua"

local SIZE <const> = (4 << 30) + 12345
local PIECE <const> = ("0123456789abcdef"):rep(1 << 16)

local function pieces(size)
  return function()
    local piece = size >= #PIECE and PIECE or PIECE:sub(1, size)
    size = size - #piece
    return piece ~= "" and piece or nil
  end
end

local server

test.before(function()
  server = test.server(function(req)
    if req.path == "/down" then
      return { stream = pieces(SIZE) }
    end
    local total = 0
    for piece in req:chunks() do total = total + #piece end
    return tostring(total)
  end)
end)

describe("a body of gigabytes", function()
  it("goes down", function()
    local total, most = 0, many.resident()
    for piece in http.get(server.url .. "/down", { stream = true }):chunks() do
      total = total + #piece
    end
    test.equal(total, SIZE)
    test.ok(many.resident() - most < 50000)
  end, { timeout = 900 })

  it("goes up", function()
    local before = many.resident()
    local own <close> = http.server { max_body = SIZE, handler = function(req)
      local total = 0
      for piece in req:chunks() do total = total + #piece end
      return tostring(total)
    end }
    test.equal(http.post(own.url, { body = pieces(SIZE) }).body, tostring(SIZE))
    test.ok(many.resident() - before < 50000)
  end, { timeout = 900 })
end)

describe("a million requests", function()
  it("leave memory and descriptors as they were", function()
    local memory, files = many.requests(server.url, 1000000)
    test.ok(memory < 16000, memory .. " KB more")
    test.ok(files <= 64, files .. " descriptors more")
  end, { timeout = 1500 })
end)
