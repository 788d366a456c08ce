-- http.download: what is resumed, what is begun again, what is refused.
local luge = require "luge"
local fs = require "luge.fs"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local PIECE <const> = 50000

local function text_of(seed)
  local list = {}
  for i = 1, 20000 do list[i] = ("%08d"):format(i * seed) end
  return table.concat(list)
end

-- Answers a request for the rest of `text` with PIECE bytes of it, and breaks
-- off; the last of `breaks` + 1 answers is whole. `headers` are of the file.
local function breaking(text, breaks, headers, rule)
  return function(req)
    local from = math.tointeger(tonumber((req.headers.range or "bytes=0-"):match "%d+"))
    local fields = headers()
    breaks = breaks - 1
    local breaks_off = breaks >= 0
    local same = rule == "ignores If-Range" or req.headers["if-range"] == fields.ETag
      or (fields["Last-Modified"] and req.headers["if-range"] == fields["Last-Modified"])
    if from > 0 and not same then from = 0 end
    local rest = text():sub(from + 1)
    if from > 0 then
      fields["Content-Range"] = ("bytes %d-%d/%d"):format(from, #text() - 1, #text())
    end
    return {
      status = from > 0 and 206 or 200, headers = fields,
      stream = function(emit)
        emit(rest:sub(1, PIECE))
        if breaks_off then
          luge.sleep(0.01)
          error(luge.error { kind = "closed", message = "breaks" })
        end
        emit(rest:sub(PIECE + 1))
      end,
    }
  end
end

local function constant(value)
  return function()
    local copy = {}
    for name, field in pairs(value) do copy[name] = field end
    return copy
  end
end

-- The result or the error, and what the file holds then, which is all that is
-- left behind.
local function download(handler, options)
  local dir <close> = fs.temp { directory = true }
  local path = dir.path .. "/file"
  fs.write(path, "old", { sync = false })
  local server <close> = http.server { handler = handler, on_error = function() end }
  local _ <close> = setmetatable({}, { __close = function()
    test.same(fs.list(dir.path), { "file" })
  end })
  local ok, result = pcall(http.download, server.url, path, options)
  return ok, result, fs.read(path)
end

local DATA <const> = text_of(1)
local function data() return DATA end

describe("a download", function()
  it("is resumed where it broke off", function()
    luge.map({ { ETag = '"v1"' }, { ["Last-Modified"] = "Tue, 01 Jul 2025 10:00:00 GMT" },
    }, function(headers)
      local ok, result, content = download(breaking(data, 2, constant(headers)))
      test.ok(ok, tostring(result))
      test.equal(result.size, #DATA)
      test.equal(result.resumed, 2)
      test.equal(result.status, 206)
      test.equal(content, DATA)
    end)
  end)

  it("begins again if the file may be another", function()
    local version = 0
    luge.map({
      function() version = version + 1 return { ETag = '"' .. version .. '"' } end,
      constant { ETag = 'W/"weak"' }, constant {},
      constant { Date = "Tue, 01 Jul 2025 10:00:00 GMT",
        ["Last-Modified"] = "Tue, 01 Jul 2025 10:00:00 GMT" },
    }, function(headers)
      local ok, result, content = download(breaking(data, 1, headers))
      test.ok(ok, tostring(result))
      test.equal(result.resumed, 0)
      test.equal(content, DATA)
    end)
  end)

  -- Two files, of the same length or not, must not become one.
  it("is no mixture, whatever the server makes of If-Range", function()
    luge.map({ text_of(2), text_of(3):sub(1, -9), text_of(2):sub(1, 30000) }, function(other)
      local answers = 0
      local ok, result, content = download(breaking(
        function() return answers > 1 and other or DATA end, 1,
        function()
          answers = answers + 1
          return { ETag = answers > 1 and '"second"' or '"first"' }
        end, "ignores If-Range"))
      test.ok(ok, tostring(result))
      test.equal(content, other)
    end)
  end)

  it("is not whole before its last byte, in parts of a part", function()
    local asked = 0
    local ok, result, content = download(function(req)
      asked = asked + 1
      local from = tonumber((req.headers.range or ""):match "%d+")
      if not from then
        return breaking(data, 1, constant { ETag = '"v1"' })(req)
      end
      from = math.tointeger(from)
      local last = math.min(from + 60000, #DATA) - 1
      return {
        status = 206, body = DATA:sub(from + 1, last + 1),
        headers = { ETag = '"v1"',
          ["Content-Range"] = ("bytes %d-%d/%d"):format(from, last, #DATA) },
      }
    end)
    test.ok(ok, tostring(result))
    test.equal(result.resumed, 2)
    test.equal(asked, 3)
    test.equal(content, DATA)
  end)

  it("refuses another part than it asked for", function()
    luge.map({ "bytes 0-9/10", "bytes 60000-60001/160000", "nonsense" }, function(range)
      local asked = 0
      local ok, err, content = download(function(req)
        asked = asked + 1
        if asked == 1 then
          return breaking(data, 1, constant { ETag = '"v1"' })(req)
        end
        return { status = 206, body = "x", headers = { ETag = '"v1"', ["Content-Range"] = range } }
      end)
      test.equal(ok, false)
      test.equal(err.code, "protocol")
      test.equal(content, "old")
    end)
  end)

  it("leaves the old file alone when it fails", function()
    local ok, err, content = download(function() return { status = 404, body = "no" } end)
    test.equal(ok, false)
    test.equal(err.status, 404)
    test.equal(content, "old")
  end)

  it("leaves the old file alone when no file comes", function()
    for _, status in ipairs { 304, 302 } do
      local ok, err, content = download(function() return { status = status } end)
      test.equal(ok, false)
      test.equal(err.kind, "http")
      test.equal(err.status, status)
      test.equal(content, "old")
    end
  end)

  it("stays as private as the file whose place it takes", function()
    local dir <close> = fs.temp { directory = true }
    local path = dir.path .. "/file"
    local server <close> = http.server { handler = function() return "new" end }
    fs.write(path, "old", { sync = false, mode = 384 }) -- 0600
    http.download(server.url, path)
    test.equal(fs.read(path), "new")
    test.equal(fs.stat(path).mode & 511, 384)
  end)

  it("takes the place of files only", function()
    local server <close> = http.server { handler = function() return "new" end }
    local dir <close> = fs.temp { directory = true }
    for _, path in ipairs { "/dev/null", dir.path } do
      test.equal(test.raises("io", http.download, server.url, path).path, path)
    end
    test.equal(fs.stat("/dev/null").type, "device")
    test.raises("invalid", http.download, server.url, "")
  end)

  it("asks for parts by itself", function()
    local server <close> = http.server { handler = function() return "new" end }
    test.raises("invalid", http.download, server.url, "/nonexistent/file",
      { headers = { range = "bytes=0-3" } })
  end)

  it("is given up after five attempts without a byte", function()
    local asked = 0
    local _ <close> = test.clock()
    local ok, err, content = download(function()
      asked = asked + 1
      return { headers = { ETag = '"v1"' }, stream = function()
        error(luge.error { kind = "closed", message = "breaks" })
      end }
    end)
    test.equal(ok, false)
    test.equal(err.kind, "truncated")
    test.equal(asked, 5)
    test.equal(content, "old")
  end)

  it("leaves nothing behind when it is cancelled", function()
    local begun = luge.event()
    local task = luge.spawn(download, function()
      return { stream = function(emit)
        emit "begun"
        begun:set()
        luge.sleep(3600)
      end }
    end)
    begun:wait()
    task:cancel()
    test.raises("cancelled", luge.await, task)
  end)

  it("says how far it is, over all its parts", function()
    local last, least = 0, math.huge
    local ok = download(breaking(data, 2, constant { ETag = '"v1"' }), {
      on_progress = function(p)
        test.ok(p.received > last)
        last, least = p.received, math.min(least, p.total or math.huge)
      end,
    })
    test.ok(ok)
    test.equal(last, #DATA)
    test.equal(least, #DATA)
  end)

  it("cannot be written where nothing can", function()
    local server <close> = http.server { handler = function() return "x" end }
    test.raises("io", http.download, server.url, "/nonexistent/file")
    test.raises("invalid", http.download, server.url, 1)
    test.raises("invalid", http.download, server.url, "/nonexistent/file", { progress = 1 })
    test.equal(select(2, download(function() return "x" end, { bogus = 1 })).kind, "invalid")
  end)
end)
