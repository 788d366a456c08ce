-- Batches that resume. The file has a line of JSON for each output, with its
-- input: `{"input":...,"output":...}`, appended as outputs come. A line that a
-- killed process left unfinished is dropped. Equal inputs are told apart by
-- how often they came.

local json = require "luge.json"
local tasks = require "luge.native.task"
local pack = require "luge.internal.chain.pack"

local checkpoint = {}

local function io_error(path, reason, code)
  error(tasks.error { kind = "io", path = path, code = code,
    message = ("checkpoint %s: %s"):format(path, reason) })
end

local function damaged(path, line)
  error(tasks.error { kind = "parse", path = path, line = line,
    message = ("checkpoint %s: line %d is no output of a batch"):format(path, line) })
end

-- The file's text up to its last whole line; nil if there is no file.
local function read_lines(path)
  local file, reason, code = io.open(path, "rb")
  if not file then
    if code == 2 then return "" end
    io_error(path, reason, code)
  end
  local text = file:read("a")
  file:close()
  return text:match("^(.*\n)") or "", text
end

-- input's key -> the outputs that are done, in the order of the file.
local function read_done(path, text)
  local done, number = {}, 0
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local ok, entry = pcall(json.decode, line)
    if not ok or type(entry) ~= "table" or type(entry.input) ~= "string" then
      damaged(path, number)
    end
    local outputs = done[entry.input] or { taken = 0 }
    done[entry.input] = outputs
    outputs[#outputs + 1] = entry.output or json.null
  end
  return done
end

-- Removes the unfinished line, by a new file in the old one's place: if the
-- process is killed now, one of the two is there.
local function repair(path, whole)
  local temporary = path .. ".new"
  local file, reason, code = io.open(temporary, "wb")
  if file then
    local ok
    ok, reason, code = file:write(whole)
    file:close()
    if ok then ok, reason, code = os.rename(temporary, path) end
    if ok then return end
  end
  io_error(path, reason, code)
end

local function open_for_append(path, whole, text)
  if text and #text > #whole then repair(path, whole) end
  local file, reason, code = io.open(path, "ab")
  if not file then io_error(path, reason, code) end
  return file
end

local function append(file, path, key, output)
  local line = json.encode { input = key, output = pack.pack(output) }
  local ok, reason, code = file:write(line, "\n")
  if ok then ok, reason, code = file:flush() end
  if not ok then io_error(path, reason, code) end
end

--- `work` behind the file: what is in it is not done again. The second result
--- closes the file.
function checkpoint.open(path, work)
  local whole, text = read_lines(path)
  local done = read_done(path, whole)
  local file = open_for_append(path, whole, text)
  return function(input)
    local key = pack.key(input)
    local outputs = done[key]
    if outputs and outputs.taken < #outputs then
      outputs.taken = outputs.taken + 1
      return pack.unpack(outputs[outputs.taken])
    end
    local output = work(input)
    append(file, path, key, output)
    return output
  end, function() file:close() end
end

return checkpoint
