-- What somebody writes who comes from Python, and what luge says to it.
local chain = require "luge.chain"
local flow = require "luge.flow"
local json = require "luge.json"
local llm = require "luge.llm"
local luge = require "luge"
local process = require "luge.process"
local test = require "luge.test"
local worker = require "luge.worker"
local describe, it = test.describe, test.it

local function refused(pattern, fn, ...)
  test.matches(test.raises("invalid", fn, ...).message, pattern)
end

describe("a forgotten await", function()
  it("is told where a field of the result is looked for", function()
    local task = luge.spawn(function() return { status = 200, body = "x" } end)
    refused("a Task has no 'body': luge.await", function() return task.body end)
    test.equal(task:await().body, "x")
  end)

  it("does not hide the methods", function()
    local task = luge.spawn(function() end)
    test.equal(type(task.await), "function")
    task:await()
  end)
end)

describe("an await too many", function()
  it("is told that a call has waited", function()
    refused("got nil.*has waited already", function() luge.await(luge.sleep(0)) end)
    refused("got number 5, takes a Task", luge.await, 5)
  end)
end)

describe("a list that is none", function()
  it("is told to gather", function()
    local function nothing() end
    refused("#1 to 'gather': got a function, takes a list", luge.gather, nothing, nothing)
    refused("#1 to 'gather': got nil, takes a list", luge.gather)
  end)
end)

describe("an item instead of a list of one", function()
  it("is told to map and to batches", function()
    local step = chain.pass()
    local pattern = "got a table with the key \"topic\" and no items, takes a list"
    refused(pattern, step.batch, step, { topic = "tides" })
    refused(pattern, luge.map, { topic = "tides" }, print)
    refused(pattern, luge.from, { topic = "tides" })
    test.equal(luge.map({ n = 0 }, print).n, 0)
    test.equal(step:batch({}).n, 0)
  end)
end)

describe("a dot instead of a colon", function()
  it("is told by Runnables", function()
    local step = chain.pass()
    refused("invoke: called on a table: write step:invoke", step.invoke, { topic = "tides" })
    refused("invoke: called on \"tides\": write step:invoke", step.invoke, "tides")
    refused("stream: called on a table: write step:stream", step.stream, {})
  end)

  it("is told by nodes and flows", function()
    local node = flow.node { exec = function() end }
    refused("run: called on a table: write node:run", node.run, {})
    refused("run: called on a table: write node:run", flow.new { start = node }.run, {})
    refused("on: called on \"again\": write node:on", node.on, "again", node)
  end)

  it("is told by what else has methods", function()
    local history = llm.history()
    refused("messages: called on nil: write history:messages", history.messages)
    refused("add: called on a table: write history:add", history.add, { "user", "x" })
    refused("acquire: called on nil: write limiter:acquire", luge.limiter { rate = 1 }.acquire)
    refused("check: called on a string: write schema:check", json.schema({}).check, "x")
    local pool <close> = worker.pool()
    refused("run: called on a function: write pool:run", pool.run, print)
    refused("map: called on a table: write pool:map", pool.map, {}, print)
    local child <close> = process.spawn { "true" }
    refused("wait: called on nil: write child:wait", child.wait)
    child:wait()
  end)

  it("is told by streams", function()
    local s = luge.from { 1, 2 }
    refused("next: called on nil: write stream:next%(...%), with a colon", s.next)
    refused("map: called on a function: write stream:map", s.map, print)
    refused("take: called on 3: write stream:take", s.take, 3)
    for _, name in ipairs { "close", "collect", "iter", "chunk", "tee", "reduce" } do
      refused(name .. ": called on nil: write stream:" .. name, s[name])
    end
    test.same(s:collect(), { 1, 2 })
  end)

  it("is told by what tasks share", function()
    refused("get: called on nothing: write queue:get%(...%), with a colon", luge.queue().get)
    refused("put: called on number 5: write queue:put", function() luge.queue().put(5) end)
    refused("release: called on nothing: write semaphore:release", luge.lock().release)
    refused("set: called on nothing: write event:set", luge.event().set)
    refused("notify: called on number 1: write condition:notify", luge.condition().notify, 1)
    refused("resolve: called on true: write Future:resolve", luge.future().resolve, true)
    refused("cancel: called on nothing: write Task:cancel", luge.current().cancel)
    luge.scope(function(scope)
      refused("spawn: called on function: write scope:spawn", scope.spawn, print)
    end)
  end)

  it("is no excuse for a wrong argument", function()
    refused("calling 'get' on a string: it takes a queue", function()
      local object = setmetatable({}, { __index = luge.queue(), __name = "a string" })
      return object:get()
    end)
  end)
end)
