-- Encoded bodies: what is decoded, what a cut or corrupt one is, several
-- encodings at once, and bodies that become very long.
local luge = require "luge"
local http = require "luge.http"
local process = require "luge.process"
local test = require "luge.test"
local describe, it = test.describe, test.it

local function bytes(hex)
  return (hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

local lines = {}
for i = 0, 19 do
  lines[i + 1] = ("line %d of a text that is sent encoded\n"):format(i)
end
local TEXT = table.concat(lines)

local GZIP = bytes("1f8b08000000000002038dd1b90d80301005d19c2ab6043e37e520588425cb0ed880f2"
  .. "111530f98b66722a6eadd5d3360b7fc2e2dac2d26db797302f7b3dfc68f2a7845487548fd480d488d4"
  .. "84d48cd482d4caaac2f8acbe587eb1fe6203c40e882d107b203641bf175e4749c5a002030000")
local BARE = bytes("8dd1b90d80301005d19c2ab6043e37e520588425cb0ed880f2111530f98b66722a6ead"
  .. "d5d3360b7fc2e2dac2d26db797302f7b3dfc68f2a7845487548fd480d488d484d48cd482d4caaac2f8"
  .. "acbe587eb1fe6203c40e882d107b203641bf175e")
local BROTLI = bytes("a108180020b63a225dc0b67ec3a499a3a3a81d00ed297c938498c083876cfd99260a"
  .. "8cfa41f00f8b81d0f75ad6fbcafa389dae6eee1e9e5ede3e1b0c6081041a58e041041954d034")
local ZSTD = bytes("28b52ffd640202bd0200a2030d12a0ed008ca4b0a80aff618f5f8b75fadd1c01091d53"
  .. "c850554de898428650c096c5c5fbe69597efad5cbfe7f6d55b7cf8f2830114a810e8ebff1990334c07"
  .. "101ae1ffbf117e6f01950b66200256a1e0b413f829659a1343")

local encoded = {
  gzip = GZIP,
  ["x-gzip"] = GZIP,
  deflate = bytes "78da" .. BARE .. bytes "8d41058c",
  br = BROTLI,
  zstd = ZSTD,
}

-- The next answer: its encodings and its body.
local answer = {}
local url

test.before(function()
  url = test.server(function()
    return { headers = { ["Content-Encoding"] = answer.encoding }, body = answer.body }
  end).url
end)

local function get(encoding, body, options)
  answer.encoding, answer.body = encoding, body
  return http.get(url, options)
end

-- All that comes of a body, read as a stream; and the error.
local function read(encoding, body, options)
  options = options or {}
  options.stream = true
  local got = {}
  local ok, err = pcall(function()
    for piece in get(encoding, body, options):chunks() do
      got[#got + 1] = piece
    end
  end)
  return table.concat(got), not ok and err or nil
end

-- The encodings that the client asks for: what is installed here.
local accepted = {}
do
  local server <close> = http.server { handler = function(req)
    return req.headers["accept-encoding"] or ""
  end }
  for name in http.get(server.url).body:gmatch "[^, ]+" do
    accepted[name] = true
  end
end
accepted["x-gzip"] = true

local function missing(name)
  return not accepted[name] and "its library is not installed" or nil
end

describe("the client", function()
  it("asks for what it can undo", function()
    test.ok(accepted.gzip and accepted.deflate)
    for name in pairs(accepted) do
      test.ok(encoded[name], name)
    end
  end)
end)

for name, body in pairs(encoded) do
  describe(name, function()
    it("is undone, in whole and in pieces", function()
      test.equal(get(name, body).body, TEXT)
      test.equal(get(name:upper(), body).body, TEXT)
      test.equal((read(name, body)), TEXT)
      test.equal(get(name, body, { max_body = #TEXT }).body, TEXT)
    end, { skip = missing(name) })

    it("that is cut at any byte is truncated", function()
      for length = 1, #body - 1 do
        local cut = body:sub(1, length)
        local err = test.raises("truncated", get, name, cut)
        test.equal(err.partial, TEXT:sub(1, #err.partial))
        test.equal(err.retryable, true)
        local got, failure = read(name, cut)
        test.equal(failure and failure.kind, "truncated")
        test.equal(got, TEXT:sub(1, #got))
      end
    end, { skip = missing(name) })

    it("that is corrupt is a protocol error", function()
      for _, wrong in ipairs { "this is something else: " .. ("\xff"):rep(100),
        body:sub(1, 12) .. ("\xfe\x01"):rep(60) } do
        test.equal(test.raises("network", get, name, wrong).code, "protocol")
        local _, err = read(name, wrong)
        test.equal(err and err.code, "protocol")
      end
    end, { skip = missing(name) })

    it("of nothing is nothing, and what follows its end is dropped", function()
      test.equal(get(name, "").body, "")
      if name ~= "zstd" then -- more of it is another frame
        test.equal(get(name, body .. "more").body, TEXT)
      end
    end, { skip = missing(name) })

    it("is limited by what comes out", function()
      local err = test.raises("limit", get, name, body, { max_body = #TEXT - 1 })
      test.equal(err.what, "body")
      test.equal(err.limit, #TEXT - 1)
      local got, failure = read(name, body, { max_body = #TEXT - 1 })
      test.equal(failure and failure.kind, "limit")
      test.ok(#got < #TEXT)
    end, { skip = missing(name) })
  end)
end

describe("deflate", function()
  it("may come bare, as some send it", function()
    test.equal(get("deflate", BARE).body, TEXT)
  end)
end)

describe("gzip and zstd", function()
  it("may be several, one after another", function()
    test.equal(get("gzip", GZIP .. GZIP).body, TEXT .. TEXT)
    if accepted.zstd then
      test.equal(get("zstd", ZSTD .. ZSTD).body, TEXT .. TEXT)
    end
  end)
end)

local function crc32(text)
  local crc = 0xffffffff
  for i = 1, #text do
    crc = crc ~ text:byte(i)
    for _ = 1, 8 do
      crc = crc >> 1 ~ (crc & 1 == 1 and 0xedb88320 or 0)
    end
  end
  return crc ~ 0xffffffff
end

-- A gzip member of one stored block.
local function stored(text)
  return bytes "1f8b0800000000000003" .. string.pack("<BI2I2", 1, #text, ~#text & 0xffff) .. text
    .. string.pack("<I4I4", crc32(text), #text)
end

describe("several encodings", function()
  it("are undone from the last to the first", function()
    test.equal(get("gzip, gzip", stored(GZIP)).body, TEXT)
    test.equal(get({ "gzip", "gzip" }, stored(GZIP)).body, TEXT)
    test.equal(get("deflate,identity ,, gzip", stored(encoded.deflate)).body, TEXT)
    test.equal((read("gzip, gzip, gzip", stored(stored(GZIP)))), TEXT)
    if accepted.br and accepted.zstd then
      test.equal(get("br, gzip", stored(BROTLI)).body, TEXT)
      test.equal((read("zstd, gzip", stored(ZSTD))), TEXT)
    end
  end)

  it("that are cut or corrupt at any depth are told", function()
    local whole = stored(GZIP)
    for length = 1, #whole - 1, 3 do
      test.raises("truncated", get, "gzip, gzip", whole:sub(1, length))
    end
    test.raises("truncated", get, "gzip, gzip", stored(GZIP:sub(1, -2)))
    test.equal(test.raises("network", get, "gzip, gzip", stored "nothing").code, "protocol")
  end)

  it("are four at most, and known ones", function()
    for _, list in ipairs { ("gzip, "):rep(5), ("gzip, "):rep(20), "compress", "gzip, compress",
      "gzip;q=1" } do
      test.equal(test.raises("network", get, list, GZIP).code, "protocol")
    end
  end)
end)

-- 64 MiB of nothing, in few bytes.
local MIB <const> = 1 << 20

local function zstd_bomb()
  local block = string.pack("<I3", 131072 << 3 | 1 << 1) .. "\0"
  return bytes "28b52ffd0050" .. block:rep(511) .. string.pack("<I3", 131072 << 3 | 1 << 1 | 1)
    .. "\0"
end

local bombs = {
  br = bytes("cfffff7f002400e2b14072effff9ffff0f8004401c1680ee"
    .. "fd3fffffff01900088c302d0bdffe7ffff3f001200715800baf7ff03"),
  zstd = zstd_bomb(),
}

describe("a short body that becomes a long one", function()
  for name, bomb in pairs(bombs) do
    it("is stopped: " .. name, function()
      local err = test.raises("limit", get, name, bomb, { max_body = MIB })
      test.equal(err.limit, MIB)
      local got, failure = read(name, bomb, { max_body = MIB })
      test.equal(failure and failure.kind, "limit")
      test.ok(#got <= MIB)
      local total = 0
      for piece in get(name, bomb, { stream = true }):chunks() do
        total = total + #piece
      end
      test.equal(total, 64 * MIB)
    end, { skip = missing(name) })
  end

  -- In a host with less memory than twice the limit.
  it("takes less than twice its limit of memory", function()
    local code = [[
      local http = require "luge.http"
      local ok, err = pcall(http.get, %q, { max_body = 32 << 20 })
      print(ok, err.kind, err.what)
    ]]
    for name, bomb in pairs(bombs) do
      if accepted[name] then
        answer.encoding, answer.body = name, bomb
        local result = process.run {
          os.getenv "LUGE", "--memory-limit", tostring(62 * MIB), "-e", code:format(url),
        }
        test.equal(result.stdout .. result.stderr, "false\tlimit\tbody\n", name)
      end
    end
  end)
end)

describe("an answer to HEAD", function()
  it("may name an encoding, and has no body", function()
    answer.encoding, answer.body = "gzip", GZIP
    local response = http.head(url)
    test.equal(response.body, "")
    test.equal(response.headers["content-encoding"], "gzip")
  end)
end)

describe("a request", function()
  it("with an Accept-Encoding of its own gets what was sent", function()
    local options = { headers = { ["Accept-Encoding"] = "gzip" } }
    test.equal(get("gzip", GZIP, options).body, GZIP)
    test.ok(luge.is_error(select(2, read("gzip", GZIP, { max_body = 10 })), "limit"))
  end)
end)
