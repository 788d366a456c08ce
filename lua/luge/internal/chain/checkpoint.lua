-- Batches that resume. The file has a line of JSON for each output, with its
-- input: `{"input":...,"output":...}`, appended as outputs come. A line that a
-- killed process left unfinished is dropped. Equal inputs are told apart by
-- how often they came.

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

-- The file's text; nil if there is no file. A device may have no end: only its
-- answer to what is written counts.
local function read(path)
  local ok, found = pcall(fs.stat, path)
  if not ok and found.errno ~= "ENOENT" then error(found, 0) end
  if ok and found.type == "file" then
    return fs.read(path, { limit = math.maxinteger })
  end
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

-- The outputs in the file. An unfinished line is removed, by a new file in the
-- old one's place: if the process is killed now, one of the two is there.
local function load(path)
  local text = read(path)
  if not text then return {} end
  local whole = text:match("^(.*\n)") or ""
  local done, number = read_done(path, whole)
  if #text > #whole then
    if text:byte(#whole + 1) ~= OBJECT then damaged(path, number + 1) end
    fs.write(path, whole)
  end
  return done
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
  local done = load(path)
  local self = { file = fs.open(path, "a"), lock = sync.lock() }
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
  end, function() local _ <close> = self.file end
end

return checkpoint
