-- Steps from functions: fn, pass, and pick.

local check = require "luge.internal.chain.check"
local join = require "luge.internal.chain.join"
local runnable = require "luge.internal.chain.runnable"

local fn = {}

local call, is, open = runnable.call, runnable.is, runnable.open
local metatables, getmetatable = runnable.metatables, getmetatable

local function nothing() end

-- fn: a function of the whole input. It gets only options that were bound,
-- since many functions mean something else by a second argument. If it returns
-- a Runnable, that is run with the same input.
local Function = {}

local function apply(self, input)
  local options = self.options
  if options then return (self.fn(input, options)) end
  return (self.fn(input))
end

function Function:_invoke(input, run)
  local output = apply(self, input)
  local metatable = getmetatable(output) -- as `is` does, without a call
  if metatable and metatables[metatable] then return call(output, input, run) end
  return output
end

function Function:_open(input, run)
  local pull, close, make
  local function pull_piece()
    if pull then return pull() end
    pull = nothing
    local output = apply(self, input)
    if not is(output) then return output end
    pull, close, make = open(output, input, run)
    return pull()
  end
  return pull_piece, function()
    pull = nothing
    if close then close() end
  end, join.deferred(function() return make end)
end

function Function:_bind(options)
  local bound = {}
  for name, value in pairs(self.options or {}) do bound[name] = value end
  for name, value in pairs(options) do bound[name] = value end
  return runnable.new(Function, { fn = self.fn, options = bound })
end

runnable.class("function", "chain", Function)

function fn.fn(f)
  check.argument("chain.fn", f, check.callable)
  return runnable.new(Function, { fn = f, options = false })
end

runnable.kinds.fn = fn.fn

-- pass: the input, piece by piece, as it comes.
local Pass = {}

function Pass._invoke(_, input)
  return input
end

function Pass._transform(_, pull, close, make)
  return pull, close, make
end

runnable.class("pass", "chain", Pass)

function fn.pass()
  return runnable.new(Pass, {})
end

-- pick: one field of a table, or some of them.
local Pick = {}

local function check_table(self, input)
  if type(input) ~= "table" then
    check.invalid("pick %s: the input is %s, takes a table", table.concat(self.keys, ", "),
      check.describe(input))
  end
end

function Pick:_invoke(input)
  check_table(self, input)
  local keys = self.keys
  if self.single then return input[keys[1]] end
  local picked = {}
  for i = 1, #keys do picked[keys[i]] = input[keys[i]] end
  return picked
end

-- How picked values join: as they do in the table that they come from. For
-- pieces without a join of their own, the first one tells whether they add up.
local function picked_join(self, make, first)
  if make == nil and first.adds then
    return self.single and join.default or join.fields {}
  end
  local joins = join.of_fields(make)
  if not self.single then return join.fields(joins) end
  return joins[self.keys[1]] or join.default
end

-- The pieces that have a picked key. Of an input that is nil, and so has no
-- piece, nothing can be picked; of some keys that are not there, no table.
function Pick:_transform(pull, close, make)
  local first, given = {}, false
  local function pull_picked()
    if first.over then return nil end
    for piece in pull do
      if first.adds == nil then first.adds = join.adds(piece) end
      local picked = Pick._invoke(self, piece)
      if picked ~= nil and (self.single or next(picked) ~= nil) then
        given = true
        return picked
      end
    end
    first.over = true
    if first.adds == nil then check_table(self, nil) end
    return not (given or self.single) and {} or nil
  end
  local function make_picked() return picked_join(self, make, first)() end
  return pull_picked, close, make_picked
end

--- What tells its outputs from those of others, in a cache.
function Pick:_identity()
  return self.keys
end

runnable.class("pick", "chain", Pick)

function fn.pick(self, ...)
  local keys = table.pack(...)
  if keys.n == 0 then check.invalid("pick: got no key, takes one or more") end
  for i = 1, keys.n do
    check.argument("pick", keys[i], function(value)
      return type(value) ~= "string" and type(value) ~= "number" and "keys" or nil
    end)
  end
  local single = keys.n == 1
  keys.n = nil
  return self | runnable.new(Pick, { keys = keys, single = single })
end

return fn
