-- Histories: what was said before, for chains that are called again and again.

local json = require "luge.json"
local check = require "luge.internal.chain.check"
local join = require "luge.internal.chain.join"
local message = require "luge.internal.llm.message"
local pack = require "luge.internal.chain.pack"
local prompt = require "luge.internal.llm.prompt"
local runnable = require "luge.internal.chain.runnable"
local sync = require "luge.native.sync"

local history = {}

--- What was said before; see `llm.history`.
---@class luge.llm.History
local History = {}
History.__index = History
History.__name = "luge.History"

-- The last `limit`, from where the user speaks: a model takes no answer to a
-- question, and no result of a tool, that it does not see.
local function limited(list, limit)
  local first = 1
  if limit and #list > limit then
    first = #list - limit + 1
    while list[first] and list[first].role ~= "user" do first = first + 1 end
  end
  return table.move(list, first, #list, 1, {})
end

-- The messages, and their text in the store. They are read each time: another
-- history of the same id may have added some.
local function load(self)
  if not self.store then return self.list end
  local text = self.store:get(self.id)
  return text and pack.unpack(json.decode(text)) or {}, text
end

-- Saves the messages in the place of the text `before`. False: another process
-- has changed that meanwhile, and the store can tell.
local function save(self, list, before)
  local store = self.store
  if not store then
    self.list = list
    return true
  end
  local text = json.encode(json.array(pack.pack(list)))
  if store.compare_and_set then return store:compare_and_set(self.id, before, text) end
  store:set(self.id, text)
  return true
end

-- Store -> id -> the lock of those that add: a store may wait between the
-- reading and the writing.
local locks = setmetatable({}, { __mode = "k" })

local function hold(self)
  if not self.store then return nil end
  local of_store = locks[self.store] or setmetatable({}, { __mode = "v" })
  locks[self.store] = of_store
  local lock = of_store[self.id] or sync.lock()
  of_store[self.id] = lock
  return lock:hold()
end

-- Adds messages that belong together, so that no other messages come between
-- them.
local function append(self, items)
  local _ <close> = hold(self)
  repeat
    local list, before = load(self)
    table.move(items, 1, #items, #list + 1, list)
  until save(self, self.limit and limited(list, self.limit) or list, before)
end

--- The messages, oldest first, at most `limit`. Waits if its store does.
---@return luge.llm.Message[]
function History:messages()
  check.own(self, History, "history", "messages")
  return limited(load(self), self.limit)
end

--- Adds a message, as a prompt takes it. Waits if its store does.
function History:add(item)
  check.own(self, History, "history", "add")
  append(self, { prompt.message(item, "history:add") })
end

--- Forgets all.
function History:clear()
  local _ <close> = hold(self)
  self.list = {}
  if self.store then self.store:set(self.id, "[]") end
end

local known = {
  store = function(value)
    local kind = type(value)
    local ok = (kind == "table" or kind == "userdata") and check.is_callable(value.get)
      and check.is_callable(value.set)
    return not ok and "a store with :get(key) and :set(key, text)" or nil
  end,
  id = check.string,
  limit = check.count,
}

--- Makes a history.
function history.history(options)
  options = check.options("llm.history", options or {}, known)
  return setmetatable({
    store = options.store, id = options.id or "history", limit = options.limit, list = {},
  }, History)
end

-- with_history

local WithHistory = {}

-- Splits a chain into its prompt, if it begins with one, and the rest.
local function split(inner)
  local steps = inner._label == "sequence" and inner:_children() or { inner }
  if steps[1]._label ~= "prompt" or #steps == 1 then return nil, inner end
  local rest = steps[2]
  for i = 3, #steps do rest = rest | steps[i] end
  return steps[1], rest
end

local function with_slot(self, input)
  local values = {}
  if type(input) == "table" then
    for name, value in pairs(input) do values[name] = value end
  else
    for name in pairs(self.prompt.variables) do
      if name ~= self.slot then values[name] = input end
    end
  end
  values[self.slot] = self.history:messages()
  return values
end

-- What the chain is called with, and the messages that are new.
local function begin(self, input, run)
  if self.prompt then
    local value = runnable.call(self.prompt, with_slot(self, input), run)
    local messages = value.messages
    return value, { messages[#messages] }
  end
  local added, messages = prompt.messages(input), self.history:messages()
  table.move(added, 1, #added, #messages + 1, messages)
  return { messages = messages }, added
end

local function finish(self, added, output)
  if not message.is(output) then
    local metatable = getmetatable(output)
    local has_text = type(output) == "string"
      or type(metatable) == "table" and metatable.__tostring
    output = message.new { role = "assistant",
      content = has_text and tostring(output) or json.encode(output) }
  end
  local said = table.move(added, 1, #added, 1, {})
  said[#said + 1] = output
  append(self.history, said)
end

function WithHistory:_invoke(input, run)
  local value, added = begin(self, input, run)
  local output = runnable.call(self.inner, value, run)
  finish(self, added, output)
  return output
end

-- What was said counts once the stream has come to its end.
local function begin_stream(self, input, run)
  local value, added = begin(self, input, run)
  local pull, close, make = runnable.open(self.inner, value, run)
  local push, result
  return function()
    local piece = pull()
    if piece == nil then
      if result then finish(self, added, result()) end
      result = nil
      return nil
    end
    if not push then push, result = (make or join.default)() end
    push(piece)
    return piece
  end, close, make
end

function WithHistory:_open(input, run)
  return runnable.lazily(function() return begin_stream(self, input, run) end)
end

function WithHistory:_children()
  return { self.whole }
end

runnable.class("history", "chain", WithHistory)

--- A chain whose prompt's slot (`history`, or the option `slot`) is filled with
--- the history, and that adds what the user and the model say.
function history.with_history(self, past, options)
  if getmetatable(past) ~= History then
    check.invalid("with_history: got %s, takes what llm.history makes", check.describe(past))
  end
  options = check.options("with_history", options or {}, { slot = check.string })
  local slot, first, rest = options.slot or "history", split(self)
  if first and not first.variables[slot] then
    check.invalid("with_history: the prompt has no slot '%s'; it has %s", slot,
      check.names(first.variables))
  end
  return runnable.new(WithHistory, {
    whole = self, prompt = first, inner = rest, history = past, slot = slot,
  })
end

return history
