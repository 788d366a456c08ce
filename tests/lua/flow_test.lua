-- luge.flow: nodes, flows, batches, and what is refused.
local flow = require "luge.flow"
local luge = require "luge"
local process = require "luge.process"
local test = require "luge.test"
local describe, it = test.describe, test.it

-- Builds for finding bugs are slow.
local ITEMS = require("luge.native.testrun").patience > 1 and 1000 or 10000

-- What a script tells the host's log, as the command prints it.
local function logged(code)
  local result = process.run { os.getenv "LUGE", "-e", "local flow = require 'luge.flow'\n" .. code,
    env = { LUGE_LOG = false } }
  test.equal(result.code, 0, result.stderr)
  return result.stderr
end

-- A node that writes its name to shared.path and returns an action.
local function step(name, action)
  return flow.node {
    name = name,
    post = function(_, shared)
      shared.path = (shared.path or "") .. name
      return action
    end,
  }
end

describe("a node", function()
  it("passes what prep gives to exec, and both to post", function()
    local node = flow.node {
      factor = 3,
      prep = function(_, shared) return shared.x end,
      exec = function(self, x) return x * self.factor end,
      post = function(_, shared, x, y)
        shared.result = { x, y }
        return "done"
      end,
    }
    local shared = { x = 7 }
    test.equal(node:run(shared), "done")
    test.same(shared.result, { 7, 21 })
  end)

  it("forgets what a run wrote to self", function()
    local node = flow.node {
      exec = function(self)
        self.count = (self.count or 0) + 1
        return self.count
      end,
      post = function(_, shared, _, count) shared.count = count end,
    }
    local shared = {}
    node:run(shared)
    node:run(shared)
    test.equal(shared.count, 1)
  end)

  it("tries exec as often as retries says, counting from 1", function()
    local attempts = {}
    local node = flow.node {
      retries = 3,
      exec = function(self)
        attempts[#attempts + 1] = self.attempt
        if self.attempt < 3 then error "again" end
        return "ok"
      end,
      post = function(_, _, _, result) return result end,
    }
    test.equal(node:run {}, "ok")
    test.same(attempts, { 1, 2, 3 })
  end)

  it("waits between attempts, and not after the last", function()
    local clock <close> = test.clock()
    local started = luge.now()
    local node = flow.node { retries = 3, wait = 2, exec = error }
    test.ok(not pcall(node.run, node, {}))
    test.equal(luge.now() - started, 4.0)
    test.ok(clock)
  end)

  it("falls back when the last attempt has failed", function()
    local node = flow.node {
      retries = 2,
      prep = function() return 5 end,
      exec = function() error("no", 0) end,
      fallback = function(_, prepared, err) return { prepared, err } end,
      post = function(_, shared, _, result) shared.result = result end,
    }
    local shared = {}
    node:run(shared)
    test.same(shared.result, { 5, "no" })
  end)

  it("gives what exec gives, be it nothing", function()
    for _, fallback in ipairs { false, error } do
      for _, result in ipairs { { n = 1 }, { false, n = 1 } } do
        local node = flow.node {
          retries = 2, fallback = fallback or nil,
          exec = function() return result[1] end,
          post = function(_, shared, _, got) shared.got = { got, n = 1 } end,
        }
        local shared = {}
        node:run(shared)
        test.same(shared.got, result)
      end
    end
  end)

  it("raises the last error without a fallback", function()
    local node = flow.node {
      retries = 2,
      exec = function(self) error("no " .. self.attempt, 0) end,
    }
    local ok, err = pcall(node.run, node, {})
    test.ok(not ok)
    test.equal(err, "no 2")
  end)

  it("does not try again when its task is cancelled", function()
    local attempts = 0
    local node = flow.node {
      retries = 5,
      exec = function()
        attempts = attempts + 1
        luge.sleep(100)
      end,
    }
    local task = luge.spawn(node.run, node, {})
    luge.sleep(0)
    task:cancel()
    pcall(task.await, task)
    test.equal(attempts, 1)
  end)

  it("is refused where it makes no sense", function()
    test.raises("invalid", function() flow.node {} end)
    test.raises("invalid", function() flow.node { exec = 1 } end)
    test.raises("invalid", function() flow.node { exec = print, retries = 0 } end)
    test.raises("invalid", function() flow.node { exec = print, wait = -1 } end)
    test.raises("invalid", function() flow.node "x" end)
    test.raises("invalid", function() step "a":next {} end)
    test.raises("invalid", function() step "a":on(1, step "b") end)
  end)

  it("takes no fields that would do nothing, or hide what nodes have", function()
    local function message_of(fn, ...)
      local _, err = pcall(fn, ...)
      return err.message
    end
    test.matches(message_of(flow.node, { exec = print, concurrency = 2 }), "flow.batch_node")
    test.matches(message_of(flow.new, { retries = 2 }), "flow.node and flow.batch_node")
    test.matches(message_of(flow.node, { exec = print, run = print }), "'run'")
    test.matches(message_of(flow.node, { exec = print, max_retries = 3 }), "here it is 'retries'")
    test.matches(message_of(flow.node, { exec_async = print }), "here it is 'exec'")
    test.matches(message_of(function() return 5 >> step "a" end), "takes a node or a flow")
    test.matches(message_of(function() return "x" - step "a" end), "takes a node or a flow")
    test.matches(message_of(flow.new, { links = { step "a" - "again" } }), "leads nowhere")
    test.raises("invalid", function() flow.new { links = step "a" - "again" } end)
    test.raises("invalid", function() flow.new { links = { "a" } } end)
    test.matches(message_of(function() return step "a" >> step "b" - "again" >> step "c" end),
      'b %- "again" leads nowhere yet')
  end)

  it("has its own parameters where it is run by itself", function()
    local node = flow.node { params = { x = 1 }, post = function(self, shared)
      shared.x = self.params.x
    end }
    local alone, inside, given = {}, {}, {}
    node:run(alone)
    flow.new { start = node }:run(inside)
    flow.new { start = node, params = { x = 2 } }:run(given)
    test.same({ alone.x, inside.x, given.x }, { 1, nil, 2 })
  end)
end)

describe("a flow", function()
  it("goes from node to node by their actions", function()
    local a, b, c = step "a", step("b", "left"), step("c", "end")
    a:next(b)
    b:on("left", c)
    local shared = {}
    test.equal(flow.new { start = a }:run(shared), "end")
    test.equal(shared.path, "abc")
  end)

  it("is linked by operators as by methods", function()
    local a, b, c = step "a", step("b", "go"), step "c"
    local f = flow.new { start = a, links = { a >> b, b - "go" >> c } }
    local shared = {}
    f:run(shared)
    test.equal(shared.path, "abc")
    local x, y, z = step "x", step "y", step "z"
    test.equal(x >> y >> z, z)
    test.equal(x.successors.default, y)
  end)

  it("returns from links what is linked to", function()
    local a, b = step "a", step "b"
    test.equal(a:next(b), b)
    test.equal(a:on("x", a), a)
    local f = flow.new()
    test.equal(f:start(b), b)
  end)

  it("runs cycles", function()
    local count = flow.node {
      post = function(_, shared)
        shared.n = shared.n + 1
        return shared.n < 10 and "again" or "done"
      end,
    }
    count:on("again", count)
    count:on("done", step "d")
    local shared = { n = 0 }
    flow.new { start = count }:run(shared)
    test.equal(shared.n, 10)
    test.equal(shared.path, "d")
  end)

  it("ends a cycle without an end", function()
    local a = step "a"
    a:next(a)
    local f = flow.new { start = a, max_steps = 50 }
    local err = test.raises("limit", function() f:run {} end)
    test.equal(err.limit, 50)
  end)

  it("takes ten thousand steps, and more where it is allowed", function()
    local count = flow.node {
      prep = function(_, shared) return shared.n end,
      exec = function(_, n) return n + 1 end,
      post = function(_, shared, _, n)
        shared.n = n
        return n < 10000 and "again" or "done"
      end,
    }
    count:on("again", count)
    count:on("done", step "d")
    local shared = { n = 0 }
    flow.new({ start = count }):run(shared)
    test.equal(shared.n, 10000)
    shared.n = 0
    local err = test.raises("limit", function()
      flow.new({ name = "loop", start = count, max_steps = 9999 }):run(shared)
    end)
    test.matches(err.message, "9999 steps and is at a node: a cycle without an end%?")
    test.equal(err.what, "max_steps")
  end)

  it("warns of an action that leads nowhere while others do", function()
    local text = logged [[
      local a = flow.node { name = "ask", post = function() return "maybe" end }
      a:on("yes", a)
      a:on("no", a)
      flow.new { start = a }:run {}]]
    test.matches(text, 'flow: ends at ask, which has no successor on "maybe", but on "no", "yes"')
    test.equal(logged [[
      flow.new { start = flow.node { post = function() return "done" end } }:run {}]], "")
  end)

  it("warns of successors that are replaced, or left out", function()
    test.matches(logged [[
      local a, b = flow.node { exec = print }, flow.node { exec = print }
      a:next(b)
      a:next(a)]], 'the successor of a node on "default" is replaced')
    test.matches(logged [[
      local a = flow.node { name = "first", exec = function() end }
      a:next(a)
      a:run {}]], "first runs alone, not its successors")
  end)

  it("ends what its nodes have begun when it is cancelled", function()
    local open = 0
    local node = flow.batch_node {
      concurrency = 8,
      prep = function() return { 1, 2, 3, 4 } end,
      exec = function()
        open = open + 1
        local _ <close> = setmetatable({}, { __close = function() open = open - 1 end })
        luge.sleep(60)
      end,
      fallback = function() return "not this" end,
    }
    local f = flow.new { start = node }
    test.raises("timeout", luge.timeout, 0.01, f.run, f, {})
    test.equal(open, 0)
  end)

  it("nests, with prep and post of its own", function()
    local inner = flow.new {
      start = step("i", "x"),
      prep = function(_, shared) shared.path = shared.path .. "(" end,
      post = function(_, shared, _, last)
        shared.path = shared.path .. ")"
        return last .. "y"
      end,
    }
    local a, b = step "a", step "b"
    a:next(inner)
    inner:on("xy", b)
    local shared = {}
    flow.new { start = a }:run(shared)
    test.equal(shared.path, "a(i)b")
  end)

  it("refuses actions that are no strings, and a missing start", function()
    local a = step("a", 42)
    a:next(step "b")
    test.raises("invalid", function() flow.new { start = a }:run {} end)
    test.raises("invalid", function() flow.new():run {} end)
    test.raises("invalid", function() flow.new { start = {} } end)
    test.raises("invalid", function() flow.new { start = a, exec = print } end)
  end)

  it("talks to another flow through queues", function()
    local words, answers = luge.queue(1), luge.queue(1)
    local asker = flow.node {
      exec = function()
        words:put "ping"
        return answers:get()
      end,
      post = function(_, shared, _, answer)
        shared[#shared + 1] = answer
        return #shared < 3 and "again" or "done"
      end,
    }
    asker:on("again", asker)
    asker:on("done", step "")
    local answerer = flow.node {
      exec = function() answers:put(words:get() .. " pong") end,
      post = function() return "again" end,
    }
    answerer:on("again", answerer)
    local shared = {}
    luge.race {
      function() flow.new { start = asker }:run(shared) end,
      function() flow.new { start = answerer }:run {} end,
    }
    test.equal(#shared, 3)
    test.equal(shared[3], "ping pong")
  end)
end)

describe("a batch node", function()
  it("executes each item, with its own attempts", function()
    local seen = {}
    local node = flow.batch_node {
      concurrency = 4,
      retries = 3,
      prep = function() return { 1, 2, 3, 4, 5 } end,
      exec = function(self, item)
        seen[item] = self.attempt
        luge.sleep(0)
        if item % 2 == 0 and self.attempt < 3 then error "again" end
        return item * item
      end,
      post = function(_, shared, _, results) shared.results = results end,
    }
    local shared = {}
    node:run(shared)
    test.same(table.pack(table.unpack(shared.results, 1, 5)), { 1, 4, 9, 16, 25, n = 5 })
    test.same(seen, { 1, 3, 1, 3, 1 })
  end)

  it("goes one by one unless told otherwise, over what can be read lazily", function()
    local running, most, read, done = 0, 0, 0, 0
    local function numbers()
      read = read + 1
      test.ok(read - done <= 2, "read ahead")
      return read <= 5 and read or nil
    end
    local results
    local node = flow.batch_node {
      prep = function(_, shared) return shared.items end,
      exec = function(_, item)
        running = running + 1
        most = math.max(most, running)
        luge.sleep(0)
        running, done = running - 1, done + 1
        return item * 2
      end,
      post = function(_, _, _, all) results = all end,
    }
    node:run { items = numbers }
    test.same({ table.unpack(results, 1, 5) }, { 2, 4, 6, 8, 10 })
    node:run { items = (luge.stream(function(emit)
      for i = 1, 3 do emit(i) end
    end)) }
    test.same({ table.unpack(results, 1, 3) }, { 2, 4, 6 })
    test.equal(most, 1)
  end)

  it("counts attempts of each item where they run at the same time", function()
    math.randomseed(7)
    local failures, attempts = {}, {}
    for i = 1, 200 do failures[i], attempts[i] = math.random(0, 4), 0 end
    local node = flow.batch_node {
      concurrency = 16, retries = 4,
      prep = function()
        local items = {}
        for i = 1, 200 do items[i] = i end
        return items
      end,
      exec = function(self, item)
        for _ = 1, math.random(0, 2) do luge.sleep(0) end
        attempts[item] = attempts[item] + 1
        test.equal(self.attempt, attempts[item])
        if attempts[item] <= failures[item] then error("no", 0) end
        return item
      end,
      fallback = function(_, item, err) return err .. item end,
      post = function(_, shared, _, results) shared.results = results end,
    }
    local shared = {}
    node:run(shared)
    for i = 1, 200 do
      local fails = failures[i] == 4
      test.equal(attempts[i], fails and 4 or failures[i] + 1)
      test.equal(shared.results[i], fails and "no" .. i or i)
    end
  end)

  it("falls back for the item that failed", function()
    local node = flow.batch_node {
      prep = function() return { 1, 2 } end,
      exec = function(_, item) return 2 // (item - 1 == 0 and 1 or 0) end,
      fallback = function(_, item) return "no " .. item end,
      post = function(_, shared, _, results) shared.results = results end,
    }
    local shared = {}
    node:run(shared)
    test.equal(shared.results[1], 2)
    test.equal(shared.results[2], "no 2")
  end)

  it("has nothing to do for no items", function()
    local node = flow.batch_node {
      exec = error,
      post = function(_, _, _, results) return tostring(#results) end,
    }
    test.equal(node:run {}, "0")
  end)
end)

describe("a batch flow", function()
  it("runs once per table of parameters, which nodes inherit", function()
    local inner = flow.new {
      start = flow.node {
        post = function(self, shared)
          luge.sleep(0)
          shared[#shared + 1] = self.params.name .. self.params.unit
        end,
      },
    }
    local batch = flow.batch {
      start = inner,
      concurrency = 3,
      prep = function()
        return { { name = "a", unit = 1 }, { name = "b", unit = 2 }, { name = "c", unit = 3 } }
      end,
    }
    local outer = flow.batch {
      start = batch,
      prep = function() return { { unit = 0 }, { other = true } } end,
    }
    local shared = {}
    outer:run(shared)
    table.sort(shared)
    test.same(shared, { "a1", "a1", "b2", "b2", "c3", "c3" })
  end)

  it("keeps parameters from being written", function()
    local node = flow.node { exec = function(self) self.params.x = 1 end }
    test.raises("invalid", function() node:run {} end)
  end)

  it("keeps no more of many runs than those under way", function()
    local done, most = 0, 0
    local node = flow.node {
      retries = 2,
      exec = function(self)
        luge.sleep(0)
        if self.params.i % 3 == 0 and self.attempt == 1 then error "again" end
        return ("x"):rep(1000)
      end,
      post = function(self)
        done = done + 1
        if self.params.i % (ITEMS // 10) == 0 then
          collectgarbage()
          most = math.max(most, collectgarbage "count")
        end
      end,
    }
    local i = 0
    local batch = flow.batch { start = node, concurrency = 64, prep = function()
      return function()
        i = i + 1
        return i <= ITEMS and { i = i } or nil
      end
    end }
    collectgarbage()
    local before = collectgarbage "count"
    batch:run {}
    test.equal(done, ITEMS)
    test.ok(most - before < 500, most - before .. " KiB more")
  end, { timeout = 60 })

  it("runs as many at once as it says", function()
    local running, most = 0, 0
    local node = flow.node { exec = function()
      running = running + 1
      most = math.max(most, running)
      luge.sleep(0.001)
      running = running - 1
    end }
    local list = {}
    for i = 1, 20 do list[i] = { i = i } end
    for _, concurrency in ipairs { 1, 5 } do
      most = 0
      flow.batch({ start = node, concurrency = concurrency, prep = function() return list end })
        :run {}
      test.equal(most, concurrency)
    end
  end)

  it("refuses what are no parameters", function()
    local batch = flow.batch { start = step "a", prep = function() return { 1 } end }
    test.raises("invalid", function() batch:run {} end)
  end)
end)

describe("mermaid", function()
  it("draws nodes, actions and flows inside flows", function()
    local a, b, c = step "ask", step "answer", step "say \"hi\""
    local inner = flow.new { name = "inner", start = b }
    a:next(inner)
    a:on("again", a)
    inner:next(c)
    test.equal(flow.new { name = "talk", start = a }:mermaid(), [[
flowchart TD
  subgraph n1["talk"]
    n2["ask"]
    subgraph n3["inner"]
      n4["answer"]
    end
    n5["say #34;hi#34;"]
  end
  n2 -->|"again"| n2
  n2 --> n3
  n3 --> n5
]])
  end)

  it("takes nodes for nodes, whatever their own fields", function()
    local node = flow.node { exec = print, first = "x", start = "y", name = "a" }
    test.equal(flow.new { name = "f", start = node }:mermaid(), [[
flowchart TD
  subgraph n1["f"]
    n2["a"]
  end
]])
  end)
end)
