-- `:events`: everything that happens in a run, as a stream. Whoever emits may
-- be at most LIMIT events ahead of the consumer; an event that tells of an end
-- is never held back, since its task may be cancelled.

local queues = require "luge.native.queue"
local sync = require "luge.native.sync"
local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local config = require "luge.internal.chain.config"
local producer = require "luge.internal.chain.producer"
local run = require "luge.internal.chain.run"
local streams = require "luge.internal.chain.streams"

local LIMIT = 32

local known = { include = check.table, exclude = check.table }
for name, validator in pairs(config.known) do known[name] = validator end

local all_kinds = {
  chain = true, prompt = true, chat_model = true, parser = true, tool = true, agent = true,
}

local function kinds_only(value)
  local wants = check.strings(value)
  for _, kind in ipairs(wants and {} or value) do
    if not all_kinds[kind] then wants = "a list of " .. check.names(all_kinds) end
  end
  return wants
end

local filter_fields = { names = check.strings, kinds = kinds_only, tags = check.strings }

local function set_of(list)
  local set = {}
  for _, item in ipairs(list or {}) do set[item] = true end
  return set
end

-- A function that says whether an event of a kind has one of the names, kinds or
-- tags.
local function matcher(where, filter)
  if filter == nil then return nil end
  check.options(where, filter, filter_fields)
  local names, kinds, tags = set_of(filter.names), set_of(filter.kinds), set_of(filter.tags)
  return function(event, kind)
    if names[event.name] or kinds[kind] then return true end
    for _, tag in ipairs(event.tags) do
      if tags[tag] then return true end
    end
    return false
  end
end

local function passes(event, kind, include, exclude)
  if include and not include(event, kind) then return false end
  return not (exclude and exclude(event, kind))
end

-- Returns a function that takes events, and one that gives them.
local function channel(include, exclude)
  local queue, room = queues.queue(), sync.event()
  local function emit(event, what, kind)
    if not passes(event, kind, include, exclude) then return end
    local may_wait = what == "start" or what == "stream"
    queue:try_put(event)
    while may_wait and queue:len() > LIMIT do
      room:clear()
      room:wait()
    end
  end
  local take = queue:iter()
  local function pull()
    local event = take(queue)
    if queue:len() <= LIMIT then room:set() end
    return event
  end
  return emit, pull, queue
end

-- Runs the step to its end as a stream.
local function drive(self, input, options)
  local pull, close = config.open(self, input, options)
  local _ <close> = producer.closing(close)
  while pull() ~= nil do end
end

--- The stream of a run's events.
local function events(self, input, options)
  options = check.options("events", options or {}, known)
  local include = matcher("events: include", options.include)
  local exclude = matcher("events: exclude", options.exclude)
  local inner = {}
  for name in pairs(config.known) do inner[name] = options[name] end
  return streams.open(producer.open(function(put)
    local emit, pull, queue = channel(include, exclude)
    local ok, err = true, nil
    tasks.spawn(function()
      ok, err = pcall(run.within, run.root(emit), drive, self, input, inner)
      queue:close()
    end)
    for event in pull do put(event) end
    if not ok then error(err, 0) end
  end))
end

return events
