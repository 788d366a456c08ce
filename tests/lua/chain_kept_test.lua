-- luge.chain: what is kept of outputs, in caches and in the files of batches.
local luge = require "luge"
local chain = require "luge.chain"
local fs = require "luge.fs"
local llm = require "luge.llm"
local process = require "luge.process"
local test = require "luge.test"
local describe, it = test.describe, test.it

local function text_of() return '{"a":1,"b":2}' end

describe("a cache", function()
  it("tells apart what picks, names, reads or checks otherwise", function()
    local ask = llm.prompt "About {x}" | tostring
    local both = ask | { a = tostring, b = text_of }
    local pairs_of_steps = {
      { both:pick "a", both:pick "b" },
      { ask | { a = tostring }, ask | { b = tostring } },
      { both:assign { c = text_of }, both:assign { d = text_of } },
      { ask | text_of | llm.match("a(.)", { "x" }), ask | text_of | llm.match("b(.)", { "x" }) },
      { ask | text_of | llm.json { type = "object" }, ask | text_of | llm.json { type = "array" } },
    }
    for i, two in ipairs(pairs_of_steps) do
      local store = {}
      for _, step in ipairs(two) do pcall(step.invoke, step:cache(store), { x = "{}" }) end
      local count = 0
      for _ in pairs(store) do count = count + 1 end
      test.equal(count, i == 5 and 1 or 2) -- of the last one's arrays there are none
    end
  end)

  it("computes once while a store is slow", function()
    local values, calls = {}, 0
    local slow = {
      get = function(_, key)
        local value = values[key]
        luge.sleep(0)
        return value
      end,
      set = function(_, key, text)
        luge.sleep(0)
        values[key] = text
      end,
    }
    local c = chain.fn(function(x)
      calls = calls + 1
      return { x }
    end):cache(slow)
    local stagger = chain.fn(function(i)
      for _ = 1, i do luge.sleep(0) end
      return c:invoke "same"
    end)
    local outputs = stagger:batch({ 0, 1, 2, 3, 4, 5, 6 }, { concurrency = 7 })
    test.equal(calls, 1)
    for i = 2, 7 do
      test.same(outputs[i], outputs[1])
      test.ok(outputs[i] ~= outputs[i - 1], "two have the same table")
    end
  end)

  it("says that an output has no form to be kept in", function()
    local c = chain.fn(function() return 0 / 0 end)
    local err = test.raises("invalid", c.invoke, c:cache(), 1)
    test.matches(err.message, "an output that is kept must have a JSON form")
  end)
end)

describe("a checkpoint", function()
  local file
  test.before_each(function() file = fs.temp() end)
  test.after_each(function() file:close() end)

  it("keeps false, nil and what has no length", function()
    local calls = 0
    local outputs = { [2] = false, [3] = {}, [4] = "" }
    local c = chain.fn(function(i)
      calls = calls + 1
      return outputs[i]
    end)
    for _ = 1, 2 do
      local list = c:batch({ 1, 2, 3, 4 }, { checkpoint = file.path })
      test.same(list, { nil, false, {}, "", n = 4 })
    end
    test.equal(calls, 4)
  end)

  it("leaves a file alone that is none of its own", function()
    for _, text in ipairs { "a diary", "a diary\n", '{"input":"1","output":2}\ntext' } do
      fs.write(file.path, text)
      local err = test.raises("parse", chain.pass().batch, chain.pass(), { 1 },
        { checkpoint = file.path })
      test.matches(err.message, "no output of a batch")
      test.equal(fs.read(file.path), text)
    end
  end)

  it("raises io, with errno and path, for a file that cannot be", function()
    local broken = { ["/nonexistent/file"] = "ENOENT", ["/"] = "EISDIR" }
    for path in pairs(broken) do test.raises("io", llm.record, path, text_of) end
    if fs.exists "/dev/full" then broken["/dev/full"] = "ENOSPC" end
    for path, errno in pairs(broken) do
      local err = test.raises("io", chain.pass().batch, chain.pass(), { 1 }, { checkpoint = path })
      test.equal(err.errno, errno)
      test.equal(err.path, path)
    end
  end)

  it("is one batch's at a time", function()
    local started, go = luge.event(), luge.event()
    local c = chain.fn(function(i)
      started:set()
      go:wait()
      return i
    end)
    local first = luge.spawn(c.batch, c, { 1, 2 }, { checkpoint = file.path })
    started:wait()
    local err = test.raises("io", c.batch, c, { 1 }, { checkpoint = file.path })
    test.equal(err.errno, "EAGAIN")
    test.equal(err.path, file.path)
    test.matches(err.message, "another batch is using it")
    go:set()
    test.same(first:await(), { 1, 2, n = 2 })
    test.same(c:batch({ 2 }, { checkpoint = file.path }), { 2, n = 1 })
  end)

  it("says that it drops a line that was not finished", function()
    fs.write(file.path, '{"input":"1","output":2}\n{"input":"2",')
    local code = [[
      local chain = require "luge.chain"
      chain.pass():batch({ 1 }, { checkpoint = %q })]]
    local done = process.run { os.getenv "LUGE" or "luge", "-e", code:format(file.path) }
    test.matches(done.stderr, '"warn".*checkpoint: the last line was not .*"bytes":13,"line":2')
    test.equal(done.code, 0)
  end)

  it("keeps the outputs that are there when the batch is cancelled", function()
    local calls, full = 0, luge.event()
    local c = chain.fn(function(i)
      calls = calls + 1
      if i == 9 then
        full:set()
        luge.sleep(60)
      end
      return i
    end)
    local inputs = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }
    local task = luge.spawn(c.batch, c, inputs, { checkpoint = file.path, concurrency = 9 })
    full:wait()
    task:cancel()
    pcall(luge.await, task)
    c:batch({ 1, 2, 3, 4, 5, 6, 7, 8 }, { checkpoint = file.path })
    test.equal(calls, 9)
  end)
end)
