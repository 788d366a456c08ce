-- The events of every example that uses models: each call of a Runnable in it
-- goes through `:events`, whose grammar is checked: for this all kinds are loaded.
local luge = require "luge"
require "luge.llm"
for _, name in ipairs { "branch", "cache", "fallback", "retry", "timeout", "with" } do
  require("luge.internal.chain." .. name)
end
for _, name in ipairs { "agent", "history", "json_parser", "structured" } do
  require("luge.internal.llm." .. name)
end
local fs = require "luge.fs"
local demo = require "luge.internal.llm.demo"
local run = require "luge.internal.chain.run"
local runnable = require "luge.internal.chain.runnable"
local test = require "luge.test"
local describe, it = test.describe, test.it

local grammar = dofile "tests/support/event_grammar.lua"

-- Builds for finding bugs are slow: too slow for an example of hundreds of runs.
local LARGE = require("luge.native.testrun").patience > 1 and "large_batch" or nil

local watched = 0 -- runs whose events were checked

-- The output and the pieces of a run, once its events are checked.
local function watch(step, input)
  local events, err = grammar.events_of(step, input)
  grammar.check(events)
  watched = watched + 1
  if err then error(err, 0) end
  local pieces = {}
  for _, event in ipairs(events) do
    if #event.parent_ids == 0 and event.event:find("_stream$") then
      pieces[#pieces + 1] = event.data.chunk
    end
  end
  return events[#events].data.output, pieces
end

-- What is called inside of a run that is watched belongs to that run.
local function instead(method, watched_method)
  return function(self, input, options)
    if run.current() then return method(self, input, options) end
    return watched_method(self, input, options)
  end
end

local function replace_methods(class)
  class.invoke = instead(class.invoke, function(self, input)
    return (watch(self, input))
  end)
  class.stream = instead(class.stream, function(self, input)
    return luge.from(select(2, watch(self, input)))
  end)
  class.batch = instead(class.batch, function(self, inputs)
    return luge.map(inputs, function(input) return self:invoke(input) end)
  end)
  class.batch_as_completed = instead(class.batch_as_completed, function(self, inputs)
    return ipairs(luge.map(inputs, function(input) return self:invoke(input) end))
  end)
end

-- An example as its reader runs it, but with nothing printed and nobody there, save
-- for the lines that it is given.
local function play(path)
  local given = fs.read(path):match "\n%-%- Given:\n(.-)\n\n" or ""
  local quiet = setmetatable({
    write = function() end, read = function() end,
    lines = function() return given:gmatch "%-%-   ([^\n]*)" end,
  }, { __index = io })
  local env = setmetatable({ print = function() end, io = quiet }, { __index = _G })
  assert(loadfile(path, "t", env))()
end

local function examples()
  local paths = {}
  for _, folder in ipairs { "examples/", "examples/flow/" } do
    for _, entry in ipairs(fs.list(folder)) do
      local path = folder .. (type(entry) == "table" and entry.name or entry)
      if path:find("%.lua$") and fs.read(path):find('"luge.llm"', 1, true) then
        paths[#paths + 1] = path
      end
    end
  end
  table.sort(paths)
  return paths
end

describe("events keep their grammar in", function()
  local paths
  luge.await(luge.spawn(function() paths = examples() end))
  for _, class in ipairs(runnable.classes) do replace_methods(class) end
  demo.piece_delay = 0
  test.after_each(demo.close)
  for _, path in ipairs(paths) do
    it(path:match("examples/.*"), function()
      watched = 0
      play(path)
      test.ok(watched > 0, "no run was watched")
    end, { timeout = 30, skip = LARGE and path:find(LARGE, 1, true) and "takes long" or nil })
  end
end)
