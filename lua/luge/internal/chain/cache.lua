-- `:cache(store)`: an output is computed once for each input. A store has
-- :get(key) and :set(key, text); a table serves as one. Inputs that ask for
-- the same at the same time share one computation.

local json = require "luge.json"
local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local pack = require "luge.internal.chain.pack"
local runnable = require "luge.internal.chain.runnable"

local cache = {}

local Cache = { _children = runnable.inner_only }

local function has_methods(store)
  local ok, get = pcall(function() return store.get end)
  local _, set = pcall(function() return store.set end)
  return ok and check.is_callable(get) and check.is_callable(set)
end

-- A plain table as a store; its keys are the inputs as JSON.
local function table_store(values)
  return {
    get = function(_, key) return values[key] end,
    set = function(_, key, text) values[key] = text end,
  }
end

-- Adds to `list` what a step is: its label, its name and what it says of
-- itself. Whether that tells more than labels.
local function describe(step, list)
  local own = step._identity and step:_identity()
  local tells = own ~= nil or step._name ~= nil
  list[#list + 1] = { step._label, step._name or false, own or false }
  local inner = step._children and step:_children()
  if step._branches then inner = select(2, step:_branches()) end
  for _, child in ipairs(inner or {}) do
    local below = json.array()
    tells = describe(child, below) or tells
    list[#list + 1] = below
  end
  return tells
end

-- What tells cached steps apart that share a store: their models, prompts and
-- names. Functions without names all look the same.
local function identity(step)
  local list = json.array()
  return describe(step, list) and pack.key(list) .. " " or ""
end

local function read(text)
  return pack.unpack(json.decode(text))
end

-- The output, and the text that is kept.
local function look_up(self, key, input, run)
  local text = self.store:get(key)
  if text ~= nil then return read(text), text end
  local output = runnable.call(self.inner, input, run)
  text = pack.text(output)
  self.store:set(key, text)
  return output, text
end

-- Until the text is in the store, others who ask wait for this task. Each gets
-- an output of its own.
local function lead(self, key, input, run)
  local future = tasks.future()
  self.pending[key] = future
  local ok, output, text = pcall(look_up, self, key, input, run)
  self.pending[key] = nil
  future:resolve(ok and text)
  if not ok then error(output, 0) end
  return output
end

function Cache:_invoke(input, run)
  local key = self.identity .. pack.key(input)
  while true do
    local future = self.pending[key]
    if not future then return lead(self, key, input, run) end
    local text = future:await()
    if text then return read(text) end
  end
end

runnable.class("cache", "chain", Cache)

function cache.cache(self, store)
  if store == nil then store = {} end
  if not has_methods(store) then
    if type(store) ~= "table" or getmetatable(store) ~= nil then
      check.invalid("cache: got %s, takes a store with :get(key) and :set(key, text), or a table",
        check.describe(store))
    end
    store = table_store(store)
  end
  return runnable.new(Cache, {
    inner = self, store = store, pending = {}, identity = identity(self),
  })
end

return cache
