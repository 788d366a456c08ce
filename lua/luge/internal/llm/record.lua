-- Recordings: `llm.record(path, fn, ...)` keeps the models' answers in a file
-- on the first run and replays them on later ones. A line of JSON for each
-- answer, found by what was asked; answers to equal questions are replayed in
-- their order, and the last one again once they are used up.

local fs = require "luge.fs"
local json = require "luge.json"
local tasks = require "luge.native.task"
local context = require "luge.internal.context"
local check = require "luge.internal.chain.check"
local options = require "luge.internal.llm.options"
local pack = require "luge.internal.chain.pack"

local record = {}

local KEY = "luge.llm.record"

local Recorder = {}
Recorder.__index = Recorder

--- The recorder of a context, or nil.
function record.current(values)
  return values[KEY]
end

local function note(self, entry)
  local answers = self.answers[entry.asked] or { taken = 0 }
  self.answers[entry.asked] = answers
  answers[#answers + 1] = entry
end

local function load(self, text)
  local number = 0
  for line in text:gmatch("[^\n]+") do
    number = number + 1
    local ok, entry = pcall(json.decode, line)
    if not ok or type(entry) ~= "table" or type(entry.asked) ~= "string" then
      error(tasks.error { kind = "parse", path = self.path, line = number,
        message = ("llm.record %s: line %d is no recorded answer"):format(self.path, number) })
    end
    note(self, entry)
  end
end

local function open(path)
  local self = setmetatable({ path = path, answers = {} }, Recorder)
  local ok, text = pcall(fs.read, path, { limit = math.maxinteger })
  if ok then
    self.replays = true
    load(self, text)
    return self
  elseif text.errno ~= "ENOENT" then
    error(text, 0)
  end
  -- If it cannot be written, this raises before any model is asked.
  fs.write(path, "")
  fs.remove(path)
  self.lines = {}
  return self
end

-- What is asked, without what would tell the machine or a key.
local function asked(self, messages, stream)
  local settings = {}
  for name, value in pairs(self.settings) do
    if name == "tools" then
      settings.tools = {}
      for i, tool in ipairs(value) do
        settings.tools[i] = { name = tool.name, parameters = tool.parameters }
      end
    elseif not options.of_calls[name] then
      settings[name] = value
    end
  end
  return pack.key { provider = self.provider, settings = settings, messages = messages,
    stream = stream or nil }
end

-- The recorded answer, or nil where one is to be recorded.
local function find(self, key)
  local answers = self.answers[key]
  if answers and self.replays then
    answers.taken = math.min(answers.taken + 1, #answers)
    return answers[answers.taken]
  elseif self.replays then
    error(tasks.error { kind = "invalid", path = self.path,
      message = ("llm.record: %s has no answer to this; delete it to record anew: %s"):format(
        self.path, key:sub(1, 300)) })
  end
end

local function keep(self, entry)
  self.lines[#self.lines + 1] = json.encode(entry, { sort_keys = true })
end

--- Answers from the file, or by `call(model, messages)`.
function Recorder:whole(model, messages, call)
  local key = asked(model, messages)
  local entry = find(self, key)
  if entry then return pack.unpack(entry.answer) end
  local answer = call(model, messages)
  keep(self, { asked = key, answer = pack.pack(answer) })
  return answer
end

-- A stream that was left has no end to replay.
local function replayed(self, entry)
  local i = 0
  return function()
    i = i + 1
    if entry.deltas[i] then return pack.unpack(entry.deltas[i]) end
    if entry.left then
      error(tasks.error { kind = "invalid", path = self.path,
        message = ("llm.record: %s has this stream only as far as it was read; %s"):format(
          self.path, "delete it to record anew") })
    end
  end
end

--- A source of deltas from the file, or of `open(model, messages)`; a stream is
--- kept once it has come to its end, or was left; not if it failed.
function Recorder:source(model, messages, open_live)
  local key = asked(model, messages, true)
  local entry = find(self, key)
  if entry then
    return replayed(self, entry)
  end
  local pull, close = open_live(model, { messages = messages })
  local deltas, is_pulling = json.array(), false
  local function put(left)
    if deltas then keep(self, { asked = key, deltas = deltas, left = left }) end
    deltas = nil
  end
  return function()
    is_pulling = true -- and stays so where it raises
    local delta = pull()
    is_pulling = false
    if delta == nil then
      put()
    elseif deltas then
      deltas[#deltas + 1] = pack.pack(delta)
    end
    return delta
  end, function()
    if not is_pulling then put(true) end
    close()
  end
end

-- Written as a whole once the function has returned: an error leaves no file
-- that lacks answers.
local function save(self)
  if self.replays then return end
  local text = table.concat(self.lines, "\n")
  fs.write(self.path, text .. (text ~= "" and "\n" or ""))
end

--- Runs fn(...) and returns its results.
function record.record(path, fn, ...)
  check.argument("llm.record", path, check.string)
  check.argument("llm.record", fn, check.callable)
  local recorder = open(path)
  local results = table.pack(context.with({ [KEY] = recorder }, fn, ...))
  save(recorder)
  return table.unpack(results, 1, results.n)
end

return record
