-- Bodies of every size, up and down, whole and in pieces; the sizes of
-- gigabytes are in long/http_sizes_test.lua.
local luge = require "luge"
local fs = require "luge.fs"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

-- Around the sizes of buffers: of pieces, of what is kept, of what is paused at.
local sizes = { 0, 1, 2, 3, 100, 1000 }
for _, size in ipairs { 4 << 10, 16 << 10, 64 << 10, 128 << 10, 500 << 10, 1 << 20, 3 << 20 } do
  for around = -1, 1 do
    sizes[#sizes + 1] = size + around
  end
end

local PATTERN <const> = ("0123456789abcdef\0\xff"):rep(100)

local function text_of(size)
  return PATTERN:rep(size // #PATTERN + 1):sub(1, size)
end

-- `text` in pieces of uneven lengths.
local function pieces_of(text)
  local at, length = 1, 1
  return function()
    if at > #text then return nil end
    local piece = text:sub(at, at + length - 1)
    at, length = at + length, length % 70001 * 3 + 1
    return piece
  end
end

local many = dofile "tests/support/many_requests.lua"
local sanitized = require("luge.native.testrun").patience > 1

local url, dir

test.before(function()
  dir = fs.temp { directory = true }
  url = test.server(function(req)
    if req.path == "/streamed" then
      local text = req:text()
      return { stream = pieces_of(text) }
    elseif req.path == "/through" then
      return { stream = req:chunks() }
    end
    return req:text()
  end).url
end)

test.after(function() dir:close() end)

describe("a body", function()
  for _, path in ipairs { "/", "/streamed", "/through" } do
    it("of any size comes back as it was: " .. path, function()
      luge.map(sizes, function(size)
        local text = text_of(size)
        test.ok(http.post(url .. path, { body = text }).body == text, size)
        test.ok(http.put(url .. path, { body = pieces_of(text) }).body == text, size)
        local response = http.post(url .. path, { body = text, stream = true })
        local got = {}
        for piece in response:chunks() do got[#got + 1] = piece end
        test.ok(table.concat(got) == text, size)
      end, { concurrency = 4 })
    end, { timeout = 30 })
  end

  it("of any size is a file, both ways", function()
    for _, size in ipairs { 0, 1, 65535, 65536, 65537, 3 << 20 } do
      local text = text_of(size)
      fs.write(dir.path .. "/from", text, { sync = false })
      local response = http.post(url, { body = { file = dir.path .. "/from" } })
      test.ok(response.body == text, size)
    end
  end)

  it("may be as long as its limit, and no longer", function()
    for _, size in ipairs { 1, 1000, 65536, 1 << 20 } do
      local text = text_of(size)
      for _, path in ipairs { "/", "/streamed" } do
        test.equal(#http.post(url .. path, { body = text, max_body = size }).body, size)
        local err = test.raises("limit", http.post, url .. path,
          { body = text .. "x", max_body = size })
        test.equal(err.limit, size)
        err = test.raises("limit", function()
          http.post(url .. path, { body = text .. "x", max_body = size, stream = true }):text()
        end)
        test.equal(err.what, "body")
      end
    end
  end)
end)

describe("a streamed body", function()
  it("has no limit but its own, from the first request on", function()
    local size = (64 << 20) + 1
    local server <close> = http.server { handler = function()
      return { stream = pieces_of(text_of(size)) }
    end }
    local client <close> = http.client {}
    local total = 0
    for piece in client:get(server.url, { stream = true }):chunks() do
      total = total + #piece
    end
    test.equal(total, size)
    test.equal(test.raises("limit", client.get, client, server.url).limit, 64 << 20)
    local strict <close> = http.client { max_body = 1000 }
    local response <close> = strict:get(server.url, { stream = true })
    test.equal(test.raises("limit", response.text, response).limit, 1000)
  end, { timeout = 20 })
end)

describe("many requests", function()
  it("leave memory and descriptors as they were", function()
    local memory, files = many.requests(url, sanitized and 500 or 5000)
    test.ok(sanitized or memory < 8000, memory .. " KB more")
    test.ok(files <= 64, files .. " descriptors more")
  end, { timeout = 20 })
end)

describe("a reader", function()
  -- Each piece is read after a pause, half a minute of a virtual clock.
  it("may be slower than the sender, for as long as it likes", function()
    local clock <close> = test.clock()
    local server <close> = http.server { handler = function()
      return { stream = pieces_of(text_of(20 << 20)) }
    end, idle_timeout = 1e6 }
    local response <close> = http.get(server.url, { stream = true, idle_timeout = 1 })
    local started, total = luge.now(), 0
    for piece in response:chunks() do
      total = total + #piece
      luge.sleep(30)
    end
    test.equal(total, 20 << 20)
    test.ok(luge.now() - started > 1000)
    test.ok(clock)
  end, { timeout = 30 })
end)
