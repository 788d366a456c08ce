-- luge.llm: prompts and their templates.
local luge = require "luge"
local llm = require "luge.llm"
local test = require "luge.test"
local describe, it = test.describe, test.it

local function invalid(fn, ...)
  local ok, err = pcall(fn, ...)
  test.ok(not ok, "no error")
  test.ok(luge.is_error(err, "invalid"), tostring(err))
  return err.message
end

local function said(prompt, input)
  local lines = {}
  for i, m in ipairs(prompt:invoke(input).messages) do lines[i] = m.role .. ": " .. m.content end
  return lines
end

describe("templates", function()
  it("fill in variables and braces", function()
    local p = llm.prompt "a {x} {{b}} {y_2}{x}"
    test.same(said(p, { x = 1, y_2 = "q" }), { "user: a 1 {b} q1" })
    test.equal(tostring(p:invoke { x = "v", y_2 = 2.5 }), "a v {b} 2.5v")
    test.same(said(llm.prompt "no variables", nil), { "user: no variables" })
    test.same(said(llm.prompt "{ x }", { x = "{x}" }), { "user: {x}" })
  end)

  it("take a value for their only variable", function()
    test.same(said(llm.prompt "about {topic}", "tides"), { "user: about tides" })
    test.matches(invalid(said, llm.prompt "{a} {b}", "x"), "takes a table with a, b")
  end)

  it("miss variables by name", function()
    test.matches(invalid(said, llm.prompt "{a} {b}", { a = 1 }),
      "variable 'b' is missing; it takes a, b")
    test.matches(invalid(said, llm.prompt "{a}", { a = {} }), "'a' is a table")
  end)

  it("take no value that has no text", function()
    local p = llm.prompt "{name}"
    for _, value in ipairs { require("luge.json").null, { 1 }, coroutine.create(print) } do
      test.matches(invalid(p.invoke, p, { name = value }), "'name' is .*, takes text")
    end
  end)

  it("refuse what cannot be read, and say where", function()
    test.matches(invalid(llm.prompt, "x\n {open"), "'{' is not closed %(line 2, column 2%)")
    test.matches(invalid(llm.prompt, "x } y"), "'}' closes nothing %(line 1, column 3%)")
    test.matches(invalid(llm.prompt, "{a b}"), "'a b' is no name")
    test.matches(invalid(llm.prompt, "{}"), "is no name")
    test.matches(invalid(llm.prompt, "{a {b}}"), "not closed")
    invalid(llm.prompt, 3)
    invalid(llm.prompt, {})
  end)
end)

describe("prompts of messages", function()
  it("have roles, slots, Messages and parts", function()
    local p = llm.prompt {
      { "system", "You are {who}." }, llm.slot "history", { role = "human", content = "{q}" },
    }
    test.same(said(p, {
      who = "kind", q = "why?", history = { { "user", "hi" }, { role = "ai", content = "ho" } },
    }), { "system: You are kind.", "user: hi", "assistant: ho", "user: why?" })
    local parts = llm.prompt { { "user", {
      { type = "text", text = "see {what}" }, { type = "image", url = "http://x/{what}" },
    } } }
    test.same(parts:invoke({ what = "it" }).messages[1].content, {
      { type = "text", text = "see it" }, { type = "image", url = "http://x/it" },
    })
  end)

  it("refuse what is no message", function()
    test.matches(invalid(llm.prompt, { { "bot", "x" } }), 'no role "bot"; roles: ai, assistant')
    test.matches(invalid(llm.prompt, { "x" }), "element 1")
    test.matches(invalid(llm.prompt, { { "user", 3 } }), "takes a template or a list of parts")
    local p = llm.prompt { llm.slot "history" }
    test.matches(invalid(said, p, {}), "slot 'history' is nil")
    test.matches(invalid(said, p, { history = { 3 } }), "slot 'history'%[1%]: got 3")
  end)

  it("are partly filled in", function()
    local p = llm.prompt "{a} {b}"
    local n = 0
    local half = p:partial { a = function()
      n = n + 1
      return n
    end }
    test.same(said(half, { b = 2 }), { "user: 1 2" })
    test.same(said(half, "x"), { "user: 2 x" })
    test.matches(invalid(said, p, { b = 1 }), "'a' is missing")
    test.matches(invalid(p.partial, p, { c = 1 }), "no variable 'c'; it takes a, b")
    test.same(said(half:partial { b = 1 }, {}), { "user: 3 1" })
    test.same(said(half:partial { b = 1 }, "x"), { "user: 4 1" })
  end)
end)

describe("histories", function()
  it("fill the slot and grow", function()
    local history = llm.history()
    local function echo(value)
      return #value.messages .. ":" .. value.messages[#value.messages].content
    end
    local c = (llm.prompt { { "system", "s" }, llm.slot "history", { "user", "{q}" } } | echo)
      :with_history(history)
    test.equal(c:invoke { q = "a" }, "2:a")
    test.equal(c:invoke "b", "4:b")
    local pieces = {}
    for piece in c:stream { q = "c" } do pieces[#pieces + 1] = piece end
    test.same(pieces, { "6:c" })
    local lines = {}
    for i, m in ipairs(history:messages()) do lines[i] = m.role .. " " .. m.content end
    test.same(lines, {
      "user a", "assistant 2:a", "user b", "assistant 4:b", "user c", "assistant 6:c",
    })
  end)

  it("do not grow when the chain fails", function()
    local history = llm.history()
    local c = (llm.prompt { llm.slot "history", { "user", "{q}" } } | function() error("no") end)
      :with_history(history)
    test.ok(not pcall(c.invoke, c, { q = 1 }))
    test.equal(#history:messages(), 0)
  end)

  it("lose nothing where several tasks add to one", function()
    local texts = {}
    local waiting = { get = function(_, key)
      luge.sleep(0)
      return texts[key]
    end, set = function(_, key, text)
      luge.sleep(0)
      texts[key] = text
    end }
    for _, store in ipairs { waiting, require("luge.store").memory() } do
      luge.map({ 1, 2, 3, 4 }, function(i)
        llm.history({ store = store, id = "h" }):add(tostring(i))
      end)
      test.equal(#llm.history({ store = store, id = "h" }):messages(), 4)
      local function shout(value)
        return value.messages[#value.messages].content:upper()
      end
      local c = (llm.prompt { llm.slot "history", { "user", "{q}" } } | shout)
        :with_history(llm.history { store = store, id = "pairs" })
      c:batch { "a", "b", "c" }
      local list = llm.history({ store = store, id = "pairs" }):messages()
      for i = 1, 6, 2 do test.equal(list[i + 1].content, list[i].content:upper()) end
    end
  end)

  it("are cut where the user speaks, and kept in a store", function()
    local texts = {}
    local store = {
      get = function(_, key) return texts[key] end,
      set = function(_, key, text) texts[key] = text end,
    }
    local history = llm.history { store = store, id = "h", limit = 4 }
    for i = 1, 3 do
      history:add { "user", "q" .. i }
      history:add { "assistant", "a" .. i }
    end
    local again = llm.history { store = store, id = "h", limit = 3 }
    local lines = {}
    for i, m in ipairs(again:messages()) do lines[i] = m.content end
    test.same(lines, { "q3", "a3" })
    test.equal(#history:messages(), 4)
    test.equal(#llm.history({ store = store, id = "other" }):messages(), 0)
    history:clear()
    test.equal(#llm.history({ store = store, id = "h" }):messages(), 0)
    invalid(llm.history, { store = {} })
    local p = llm.prompt "x {y}" | string.upper
    test.matches(invalid(p.with_history, p, history), "no slot 'history'; it has y")
    invalid(p.with_history, p, {})
  end)
end)
