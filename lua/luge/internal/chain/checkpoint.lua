-- Batches that resume. The file has a line of JSON for each output, with its
-- input: `{"input":...,"output":...}`, appended as outputs come, by one batch at
-- a time. A line that a killed process left unfinished is dropped. Equal inputs
-- are told apart by how often they came.

local fs = require "luge.fs"
local json = require "luge.json"
local sync = require "luge.native.sync"
local tasks = require "luge.native.task"
local pack = require "luge.internal.chain.pack"

local checkpoint = {}

local OBJECT <const> = ("{"):byte() -- what every line begins with

local function damaged(path, line)
  error(tasks.error { kind = "parse", path = path, line = line,
    message = ("checkpoint %s: line %d is no output of a batch"):format(path, line) })
end

local function close_file(self)
  local _ <close> = self.file
end

-- input's key -> the outputs that are done, in the order of the file.
local function read_done(path, text)
  local done, number = {}, 0
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local ok, entry = pcall(json.decode, line)
    if not ok or type(entry) ~= "table" or type(entry.input) ~= "string"
      or entry.output == nil then
      damaged(path, number)
    end
    local outputs = done[entry.input] or { taken = 0 }
    done[entry.input] = outputs
    outputs[#outputs + 1] = entry.output
  end
  return done, number
end

-- A line that was not finished goes; what a killed process had computed for it
-- is computed again.
local function drop_rest(file, path, from, line, text)
  if text:byte(from + 1) ~= OBJECT then damaged(path, line) end
  file.native:truncate(from)
  require("luge.log").warn("checkpoint: the last line was not finished and is dropped",
    { path = path, line = line, bytes = #text - from })
end

-- The outputs in the file, which is open.
local function load(file, path)
  -- A device may have no end: only its answer to what is written counts.
  if file:stat().type ~= "file" then return {} end
  local text = fs.read(path, { limit = math.maxinteger })
  local whole = text:match("^(.*\n)") or ""
  local done, number = read_done(path, whole)
  if #text > #whole then drop_rest(file, path, #whole, number + 1, text) end
  return done
end

-- Two batches that append to one file would each do what the other has done.
-- Where a file system has no locks, nothing is refused.
local function lock(file, path)
  local ok, err = pcall(file.native.lock, file.native)
  if ok or err.kind == "io" and err.errno ~= "EAGAIN" then return end
  if err.errno == "EAGAIN" then
    err.message = ("checkpoint %s: another batch is using it"):format(path)
  end
  error(err, 0)
end

-- The file, and the outputs in it.
local function open(path)
  local file = fs.open(path, "a")
  local unless_open <close> = setmetatable({ file = file }, { __close = close_file })
  lock(file, path)
  local done = load(file, path)
  unless_open.file = nil
  return file, done
end

-- A write that failed may have left a part of its line: nothing comes after it.
local function write(self, line)
  local _ <close> = self.lock:hold()
  if self.failed then error(self.failed, 0) end
  local ok, err = pcall(self.file.write, self.file, line)
  if not ok then
    self.failed = err
    error(err, 0)
  end
end

-- Shielded: what has been computed is not lost to a cancellation.
local function append(self, key, output)
  local line = '{"input":%s,"output":%s}\n'
  tasks.shield(write, self, line:format(json.encode(key), pack.text(output)))
end

--- `work` behind the file: what is in it is not done again. The second result
--- closes the file.
function checkpoint.open(path, work)
  local file, done = open(path)
  local self = { file = file, lock = sync.lock() }
  return function(input)
    local key = pack.key(input)
    local outputs = done[key]
    if outputs and outputs.taken < #outputs then
      outputs.taken = outputs.taken + 1
      return pack.unpack(outputs[outputs.taken])
    end
    local output = work(input)
    append(self, key, output)
    return output
  end, function() close_file(self) end
end

return checkpoint
