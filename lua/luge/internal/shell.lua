-- os.execute and io.popen on luge.process: their task waits, the others go on.
-- The files of io.popen have the methods and results of Lua's own.
local process = require "luge.process"
local closing = require "luge.internal.closing"
local is_error = require("luge.native.task").is_error

local shell = {}

local function results(ended)
  if ended.code then
    return ended.code == 0 or nil, "exit", ended.code
  end
  return nil, "signal", ended.number
end

function shell.execute(command)
  local child <close> = process.spawn {
    command, shell = true, stdin = "inherit", stdout = "inherit", stderr = "inherit",
  }
  return results(child:wait())
end

local Pipe = { __name = "FILE*" }
Pipe.__index = Pipe

function Pipe:__iotype()
  return self.closed and "closed file" or "file"
end

function Pipe:__tostring()
  return self.closed and "file (closed)" or ("file (process %d)"):format(self.child.pid)
end

local function check_open(self)
  if self.closed then
    error("attempt to use a closed file", 3)
  end
end

local function gather(self, parts, enough)
  local length = #parts[1]
  while not enough(parts[#parts], length) do
    local piece = self.stdout:next()
    if not piece then
      return
    end
    parts[#parts + 1] = piece
    length = length + #piece
  end
end

-- Reads pieces until there is `enough(the last one, length of all)`, or no
-- more. They are joined once; a read that is cancelled keeps them.
local function fill(self, enough)
  local parts = { self.ahead }
  local ok, err = pcall(gather, self, parts, enough)
  self.ahead = table.concat(parts)
  if not ok then
    error(err, 0)
  end
end

local function take(self, count)
  local text = self.ahead:sub(1, count)
  self.ahead = self.ahead:sub(count + 1)
  return text
end

-- nil: there is nothing left.
local function take_some(self, count)
  return self.ahead ~= "" and take(self, count) or nil
end

local function read_count(self, count)
  fill(self, function(_, length) return length >= math.max(count, 1) end)
  return take_some(self, count)
end

local function read_line(self, keep_end)
  fill(self, function(piece) return piece:find("\n", 1, true) end)
  local at = self.ahead:find("\n", 1, true)
  if not at then
    return take_some(self, #self.ahead)
  end
  local line = take(self, at)
  return keep_end and line or line:sub(1, -2)
end

-- A numeral of at most 200 characters, as Lua's own reads.
local function read_number(self)
  repeat
    local before = #self.ahead
    self.ahead = self.ahead:match "^%s*(.*)$"
    local length = #self.ahead
    fill(self, function(_, now) return now >= 200 or now > length end)
  until #self.ahead >= 200 or #self.ahead == length and before == length
  local text = self.ahead:match "^[+-]?0[xX]%x*%.?%x*[pP][+-]?%d+"
    or self.ahead:match "^[+-]?0[xX]%x*%.?%x*"
    or self.ahead:match "^[+-]?%d*%.?%d*[eE][+-]?%d+"
    or self.ahead:match "^[+-]?%d*%.?%d*"
  return tonumber(take(self, #text))
end

local function read_all(self)
  fill(self, function() return false end)
  return take(self, #self.ahead)
end

local readers = {
  n = read_number,
  l = function(self) return read_line(self, false) end,
  L = function(self) return read_line(self, true) end,
  a = read_all,
}

local function reader(format)
  if math.type(format) == "integer" then
    return function(self) return read_count(self, format) end
  end
  local read = type(format) == "string" and readers[format:match "^%*?(.)"]
  return read or error("bad argument to 'read' (invalid format)", 4)
end

local function read(self, ...)
  if not self.stdout then
    return nil, "Bad file descriptor", 9
  end
  local count = math.max(select("#", ...), 1)
  local values = {}
  for i = 1, count do
    values[i] = reader(select(i, ...) or "l")(self)
    if values[i] == nil then
      return table.unpack(values, 1, i)
    end
  end
  return table.unpack(values, 1, count)
end

function Pipe:read(...)
  check_open(self)
  return read(self, ...)
end

function Pipe:lines(...)
  check_open(self)
  local formats = table.pack(...)
  return function()
    check_open(self)
    return read(self, table.unpack(formats, 1, formats.n))
  end
end

function Pipe:write(...)
  check_open(self)
  local ok, err = pcall(function(...)
    if not self.stdin then
      return "Bad file descriptor"
    end
    self.stdin:write(...)
  end, ...)
  if ok and not err then
    return self
  elseif ok then
    return nil, err, 9
  elseif is_error(err, "closed") then
    return nil, "Broken pipe", 32
  end
  error(err, 0)
end

function Pipe:flush()
  check_open(self)
  return self
end

function Pipe:setvbuf()
  check_open(self)
  return true
end

function Pipe:seek()
  check_open(self)
  return nil, "Illegal seek", 29
end

function Pipe:close()
  check_open(self)
  self.closed = true
  local child = self.child
  if self.stdin then
    self.stdin:close()
  end
  child:end_output()
  local ended = child:wait()
  child:close()
  return results(ended)
end

local function end_pipe(self)
  self:close()
end

function Pipe:__close()
  if not self.closed then
    closing(end_pipe, self)
    self.child:close()
  end
end

function shell.popen(command, mode)
  mode = mode or "r"
  if mode ~= "r" and mode ~= "w" then
    error("bad argument #2 to 'popen' (invalid mode)", 3)
  end
  local child = process.spawn {
    command,
    shell = true,
    stdin = mode == "w" and "pipe" or "inherit",
    stdout = mode == "r" and "pipe" or "inherit",
    stderr = "inherit",
  }
  return setmetatable({
    child = child, stdin = child.stdin, stdout = child.stdout, ahead = "", closed = false,
  }, Pipe)
end

return shell
