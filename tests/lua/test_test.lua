-- luge.test and `luge test`. What fails there is in tests/support/runner, and
-- run by another process.
local luge = require "luge.native.task"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local command = os.getenv "LUGE" or "luge"
local fixtures = "tests/support/runner/"

-- What `luge test` with these arguments writes, and its exit status.
local function run(arguments, file)
  local pipe = io.popen(("'%s' test %s '%s%s' 2>&1"):format(command, arguments, fixtures, file))
  local text = pipe:read "a"
  local _, _, status = pipe:close()
  return text, status
end

local function assertion(fn, ...)
  return test.raises("assertion", fn, ...).message
end

describe("test.equal", function()
  it("takes tables by identity", function()
    local t = {}
    test.equal(t, t)
    test.equal(1, 1.0)
    test.matches(assertion(test.equal, t, {}), "got {}, want {}$")
  end)

  it("says where it was called, and what it got", function()
    local message = assertion(function() test.equal("a\n", nil, "line") end)
    test.matches(message, 'test_test%.lua:%d+: line: got "a\\n", want nil$')
  end)
end)

describe("test.same", function()
  it("compares by content, whatever the metatables", function()
    test.same({ 1, { a = { true } } }, setmetatable({ 1, { a = { true } } }, { __index = {} }))
    test.same({ 0 / 0 }, { 0 / 0 })
  end)

  it("ends on cycles", function()
    local a, b = { n = 1 }, { n = 1 }
    a.self, b.self = a, b
    test.same(a, b)
    b.self = { n = 2 }
    test.matches(assertion(test.same, a, b), "value%.self%.n: got 1, want 2")
  end)

  it("names each place that differs", function()
    local message = assertion(test.same,
      { list = { 1, 2, { name = "x" } }, extra = 1, ["odd key"] = 1 },
      { list = { 1, 3, { name = "y" } }, gone = {}, ["odd key"] = "1" })
    for _, line in ipairs { "value.list[2]: got 2, want 3", 'value.list[3].name: got "x", want "y"',
      "value.extra: got 1, want nothing", "value.gone: got nothing, want {}",
      'value["odd key"]: got 1, want "1"' } do
      test.ok(message:find(line, 1, true), line .. " is not in " .. message)
    end
  end)

  it("stops at ten differences", function()
    local list = {}
    for i = 1, 30 do
      list[i] = i
    end
    test.matches(assertion(test.same, list, {}), "and 20 more$")
  end)

  it("shows long texts around the first byte that differs", function()
    local message = assertion(test.same, ("a"):rep(500) .. "b", ("a"):rep(500) .. "c")
    test.matches(message, "differs from byte 501 on")
    test.ok(#message < 300)
  end)

  it("shows what cannot be shown", function()
    local message = assertion(test.same, "\t1\0\r\"\\\xff", "é")
    test.matches(message, [[got "\t1\x00\r\"\\\xff", want "é"$]])
    local odd = setmetatable({}, { __tostring = function() error "no" end })
    test.matches(assertion(test.same, odd, 1), "__tostring raises")
  end)
end)

describe("test.raises", function()
  local function raise(kind)
    error(luge.error { kind = kind, message = "m" })
  end

  it("returns the error", function()
    test.equal(test.raises("closed", raise, "closed").message, "m")
    test.equal(test.raises(nil, error, "text", 0), "text")
  end)

  it("is not content with another, or none", function()
    test.matches(assertion(test.raises, "closed", raise, "limit"), "limit: m, want .* \"closed\"")
    test.matches(assertion(test.raises, "closed", error, "text", 0), '"text", want')
    test.matches(assertion(test.raises, "closed", function() end), "raised nothing, want")
    test.matches(assertion(test.raises, nil, function() end), "raised nothing$")
  end)

  it("waits", function()
    test.raises("closed", function()
      luge.sleep(0)
      raise "closed"
    end)
  end)
end)

describe("test.ok and test.matches", function()
  it("return what they were given", function()
    test.equal(test.ok("x"), "x")
    test.same({ test.matches("a=1", "(%w)=(%w)") }, { "a", "1" })
  end)

  it("fail", function()
    test.matches(assertion(test.ok, nil, "why"), "why: got nil$")
    test.matches(assertion(test.matches, "abc", "x"), 'got "abc", want text that matches "x"$')
    test.matches(assertion(test.matches, nil, "x"), "got nil, want text")
  end)
end)

describe("test.clock", function()
  it("jumps to the next timer", function()
    local _ <close> = test.clock()
    local start, order = luge.now(), {}
    local function sleeper(name, seconds)
      return luge.spawn(function()
        luge.sleep(seconds)
        order[#order + 1] = name
        return luge.now() - start
      end)
    end
    local late, early = sleeper("late", 7200), sleeper("early", 3600)
    test.ok(math.abs(late:await() - 7200) < 1e-6)
    test.ok(math.abs(early:await() - 3600) < 1e-6)
    test.same(order, { "early", "late" })
  end)

  it("stands still while tasks run", function()
    local _ <close> = test.clock()
    local start = luge.now()
    luge.sleep(0)
    local until_then = os.clock() + 0.002
    repeat until os.clock() > until_then
    test.equal(luge.now(), start)
  end)

  it("leaves each timer what it has, when it comes and when it goes", function()
    local real = luge.now()
    local before = luge.spawn(function() luge.sleep(0.02) end)
    luge.sleep(0)
    local clock = test.clock()
    local inside = luge.spawn(function() luge.sleep(1000.01) end)
    luge.sleep(1000)
    test.ok(before:done())
    clock:close()
    clock:close()
    test.ok(luge.now() - real < 100, "the real time is back")
    inside:await()
    test.ok(luge.now() - real < 100, "the sleep went on for ten milliseconds")
  end)

  it("is one at a time", function()
    local _ <close> = test.clock()
    test.raises("invalid", test.clock)
  end)

  it("is not held by a server that nobody asks", function()
    local server = test.server(function() return "answer" end)
    test.equal(http.get(server.url).body, "answer")
    local _ <close> = test.clock()
    luge.sleep(3600)
    test.equal(http.get(server.url).body, "answer")
    luge.sleep(3600)
  end)

  it("makes deadlines virtual", function()
    local _ <close> = test.clock()
    test.raises("timeout", luge.timeout, 600, luge.sleep, 601)
  end)
end)

describe("test.server", function()
  it("serves until the test has ended", function()
    local server = test.server(function(req)
      return { json = { path = req.path } }
    end)
    test.equal(http.get(server.url .. "/x"):json().path, "/x")
  end)

  it("takes a handler", function()
    test.raises("invalid", test.server)
  end)
end)

describe("test.model", function()
  it("gives its answers, whole and streamed, and keeps the requests", function()
    local model, requests = test.model { "one answer", "in some pieces", function(request)
      return "you said " .. request.messages[1].content
    end }
    test.equal(model:invoke "first".content, "one answer")
    local pieces = {}
    for piece in model:stream "second" do
      pieces[#pieces + 1] = piece.content
    end
    test.ok(#pieces > 1)
    test.equal(table.concat(pieces), "in some pieces")
    test.equal(model:invoke "third".content, "you said third")
    test.equal(#requests, 3)
    test.equal(requests[2].stream, true)
  end)

  it("calls tools, and fails as servers do", function()
    local model = test.model({
      { tool_calls = { { name = "look", arguments = { at = "it" } },
        { name = "look", arguments = '{"at":"text"}' } } },
      { status = 503, body = "not now" },
    }, { max_retries = 0 })
    local message = model:invoke "go"
    test.equal(message.finish_reason, "tool_calls")
    test.equal(message.tool_calls[1].name, "look")
    test.same(message.tool_calls[1].arguments, { at = "it" })
    test.same(message.tool_calls[2].arguments, { at = "text" })
    test.equal(test.raises("llm", model.invoke, model, "again").status, 503)
    for _, code in ipairs { "rate_limit", "quota", "auth", "overloaded", "context_length" } do
      local busy = test.model({ luge.error { kind = "llm", code = code, message = "no" } },
        { max_retries = 0 })
      test.equal(test.raises("llm", busy.invoke, busy, "go").code, code)
    end
    local other = luge.error { kind = "io", message = "no" }
    test.raises("invalid", test.model, { other })
  end)

  it("thinks, refuses, and says what it used", function()
    local said = { reasoning = "hm", refusal = "no", usage = { input_tokens = 5 } }
    local model = test.model { said, said }
    local message = model:invoke "go"
    test.same({ message.reasoning, message.refusal, message.usage.input_tokens }, { "hm", "no", 5 })
    local sum
    for delta in model:stream "go" do sum = sum and sum + delta or delta end
    test.same({ sum.reasoning, sum.refusal }, { "hm", "no" })
  end)

  it("takes a list of answers", function()
    test.raises("invalid", test.model)
    test.raises("invalid", test.model, { true })
  end)
end)

describe("declarations", function()
  it("belong to the loading of a file", function()
    test.matches(test.raises("invalid", it, "late", function() end).message, "while it is loaded")
    test.raises("invalid", test.before, function() end)
  end)
end)

describe("a test that fails", function()
  it("shows what it closes the error as it is", function()
    local text = run("", "closing.lua")
    test.ok(text:find("closed by own: on purpose", 1, true), text)
  end)
end)

describe("luge test", function()
  it("tells how each test failed", function()
    local text, status = run("", "outcomes.lua")
    test.equal(status, 1)
    for _, line in ipairs {
      "ok   outcomes > passes\n",
      "skip outcomes > is left out (for a reason)\n",
      "outcomes.lua:8: plain\n",
      "outcomes.lua:9: got 1, want 2\n",
      "value.b: got nothing, want true\n",
      "timed out after ",
      "left a task alive: the straggler waits for sleep\n",
      "every task waits for what can no longer come:\n",
      "outcomes.lua:17: from a child\n",
      "an error that nobody awaited was reported",
      "left a virtual clock in place\n",
      "a handler failed: GET /: ",
      "the model was asked 1 times, and has 0 answers\n",
      "ok   outcomes > passes after all\n",
      "| some output\n",
    } do
      test.ok(text:find(line, 1, true), line .. " is not in:\n" .. text)
    end
    test.matches(text, "\n2 passed, 11 failed, 1 skipped\n$")
  end, { timeout = 20 })

  it("runs hooks from the outside in, and out again", function()
    local text = run("", "hooks.lua")
    local said = {}
    for line in text:gmatch "  | ([^\n]*)" do
      said[#said + 1] = line
    end
    test.same(said, { "file before", "outer before",
      "file before_each", "outer before_each", "first", "outer after_each", "file after_each",
      "file before_each", "outer before_each", "inner before_each", "second",
      "inner after_each", "outer after_each", "file after_each",
      "outer after, declared last", "outer after", "file after" })
    test.matches(text, "whose before fails %(before%)\n%s+%S+hooks.lua:35: no base")
    test.matches(text, "\n1 passed, 2 failed, 2 skipped\n$")
  end, { timeout = 20 })

  it("runs what is marked `only`", function()
    local text, status = run("--tap", "only.lua")
    test.equal(status, 0)
    test.matches(text, "^TAP version 13\nok 1 %- %S+ > a # SKIP [^\n]+\nok 2 %- %S+ > b\n1%.%.2\n")
  end)

  it("chooses by a filter", function()
    local text = run("--filter 'after all'", "outcomes.lua")
    test.matches(text, "\n1 passed, 0 failed\n$")
  end)

  it("tells that nothing ran", function()
    local text, status = run("--filter nowhere", "outcomes.lua")
    test.matches(text, "no test's name holds 'nowhere'")
    test.equal(status, 0)
  end)

  it("survives a crash, and counts what did not run", function()
    local text, status = run("", "crash.lua")
    test.equal(status, 1)
    test.matches(text, "FAIL crashes\n%s+the process exited with status 3; 1 more tests")
    test.matches(text, "\n1 passed, 1 failed\n$")
  end)

  it("writes JUnit's XML", function()
    local path = os.tmpname()
    local text, status = run("--junit " .. path, "crash.lua")
    local file <close> = test.ok(io.open(path))
    os.remove(path)
    test.equal(status, 1, text)
    local xml = file:read "a"
    test.matches(xml, '<testsuite name="[^"]*crash.lua" tests="2" failures="1" skipped="0"')
    test.matches(xml, '<failure message="the process exited with status 3;')
  end)

  it("fails where that cannot be written", function()
    local text, status = run("--junit /dev/full", "only.lua")
    test.equal(status, 1)
    test.matches(text, "luge test: io: cannot write to /dev/full: no space left on device\n$")
  end)

  it("gives up a file with a test that cannot be ended", function()
    local text, status = run("", "stuck.lua")
    test.equal(status, 1)
    test.matches(text, "it did not end when it was cancelled\n")
  end, { timeout = 50 })

  it("sees what is detached and what computes", function()
    local text, status = run("", "leaves.lua")
    test.equal(status, 1)
    test.matches(text, "FAIL detaches[^\n]*\n%s+left a detached task alive: the stowaway waits for")
    test.matches(text, "FAIL computes[^\n]*\n%s+timed out after [%d.]+ s, computing\n")
    test.matches(text, "leaves.lua:11: in function")
    test.matches(text, "\n2 passed, 2 failed\n$")
  end, { timeout = 20 })

  it("shows names and errors of any bytes", function()
    local text = run("", "names.lua")
    test.matches(text, "FAIL \\x1B%[2J line #2 \\x00\\xFF[^\n]*\n")
    test.matches(text, "\n%s+\\x1B%]0;title\\x07 \\xC3\\xBC \\xFF\n")
    test.equal(text:find "[%z\1-\8\11-\31]", nil)
    text = run("--tap", "names.lua")
    test.matches(text, "not ok 1 %- %S+ > \\x1B%[2J line  2 \\x00\\xFF\n")
    test.matches(text, "\nok 2 %- %S+ > is skipped # SKIP for \\x1B%[31m\n1%.%.2\n")
  end)

  it("gives tests the permissions of its options", function()
    local text = run("--sandbox", "permitted.lua")
    test.matches(text, "file\tfalse\tpermission: .-%-%-allow%-read=/etc/passwd allows it\n")
    test.matches(text, "variable\tfalse\tpermission: ")
    test.matches(text, "runner\tfalse\tpermission: ")
    test.matches(text, "\n3 passed, 0 failed\n$")
    text = run("--allow-read=/etc --allow-env", "permitted.lua")
    test.matches(text, "file\ttrue\t")
    test.matches(text, "variable\ttrue\t")
    local pipe <close> = io.popen(("'%s' --sandbox test '%spermitted.lua' 2>&1"):format(command,
      fixtures))
    test.matches(pipe:read "a", "variable\tfalse\tpermission: ")
    local status
    text, status = run("--allow-net=???", "permitted.lua")
    test.equal(status, 2)
    test.matches(text, "%-%-allow%-net=%?%?%?: ")
  end, { timeout = 20 })

  it("has patience where it is asked for", function()
    local text, status = run("--patience 1000", "slow.lua")
    test.equal(status, 0, text)
    test.matches(text, "\n1 passed, 0 failed\n$")
  end)

  it("refuses what it does not know", function()
    local text, status = run("--patience much", "crash.lua")
    test.equal(status, 2)
    test.matches(text, "%-%-patience takes a number, from 1")
    text, status = run("--what", "crash.lua")
    test.equal(status, 2)
    test.matches(text, "unknown option %-%-what %(see luge test %-%-help%)")
    text, status = run("", "missing.lua")
    test.equal(status, 2)
    test.matches(text, "missing.lua: No such file")
  end)
end)
