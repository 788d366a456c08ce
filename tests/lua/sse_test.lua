-- luge.native.sse: the parser as Lua sees it. What it makes of the bytes is
-- tested in tests/unit/sse_test.c; here: tables, limits, misuse, lifetime.
local test = require "luge.test"
local sse = require "luge.native.sse"
local describe, it = test.describe, test.it

local function events(parser, ...)
  local list = {}
  for _, chunk in ipairs { ... } do
    parser:feed(chunk)
    for event in parser.next, parser do
      list[#list + 1] = event
    end
  end
  return list
end

describe("sse.parser", function()
  it("gives events as tables", function()
    local got = events(sse.parser(),
      "data: a\n\nevent: delta\nid: 7\nretry: 250\ndata: b\ndata: c\n\n",
      "data: d\n\n")
    test.same(got, {
      { event = "message", data = "a" },
      { event = "delta", data = "b\nc", id = "7", retry = 250 },
      { event = "message", data = "d", id = "7" },
    })
  end)

  it("takes an event without a table", function()
    local parser = sse.parser()
    parser:feed("data: a\n\nevent: x\ndata\n\ndata: cut")
    local data, event = parser:take()
    test.same({ data, event }, { "a", "message" })
    data, event = parser:take()
    test.same({ data, event }, { "", "x" })
    test.equal(select("#", parser:take()), 0)
  end)

  it("keeps what a chunk's end cuts off, whatever is collected", function()
    local parser, got = sse.parser(), {}
    local text = "event: delta\r\nid: 12\r\ndata: one\r\ndata: two\r\n\r\n"
    for byte in (text:rep(3)):gmatch "." do
      parser:feed(byte)
      collectgarbage()
      got[#got + 1] = parser:next()
    end
    local event = { event = "delta", id = "12", data = "one\ntwo" }
    test.same(got, { event, event, event })
  end)

  it("remembers the last id and the reconnection time", function()
    local parser = sse.parser()
    test.equal(parser:last_id(), "")
    test.equal(parser:retry(), nil)
    events(parser, "id: 1\nretry: 5\n\nid: 2\n")
    test.equal(parser:last_id(), "1")
    test.equal(parser:retry(), 5)
    events(parser, "\n")
    test.equal(parser:last_id(), "2")
  end)

  it("limits lines and events, and stays failed", function()
    local parser = sse.parser(16, 20)
    parser:feed("data: ok\n\ndata: " .. ("x"):rep(11))
    test.equal(parser:next().data, "ok")
    for _ = 1, 2 do
      local ok, err = pcall(parser.next, parser)
      test.equal(ok, false)
      test.equal(err.kind, "limit")
      test.equal(err.what, "line")
      test.equal(err.limit, 16)
    end
    parser = sse.parser(16, 20)
    parser:feed(("data: xxxxxxxx\n"):rep(3))
    local _, err = pcall(parser.next, parser)
    test.equal(err.what, "event")
    test.equal(err.limit, 20)
  end)

  it("refuses what it cannot take", function()
    local parser = sse.parser()
    test.raises("invalid", function() parser:feed(nil) end)
    test.raises("invalid", function() parser:feed({}) end)
    test.raises("invalid", function() parser.next({}) end)
    test.raises("invalid", function() parser.feed(io.stdout, "x") end)
    test.raises("invalid", function() sse.parser(0) end)
    test.raises("invalid", function() sse.parser(1.5) end)
    test.raises("invalid", function() sse.parser(nil, "many") end)
    parser:feed("data: a\n\ndata: b\n\n")
    parser:next()
    test.raises("invalid", function() parser:feed("data: c\n\n") end)
    test.equal(parser:next().data, "b")
  end)
end)
