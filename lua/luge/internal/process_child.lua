-- A child process with streams. It is held by a servant of the task that
-- started it: the servant ends with the task, and the child with the servant.
local tasks = require "luge.native.task"
local serve = require("luge.native.stream").serve
local sync = require "luge.native.sync"
local check = require "luge.internal.check"
local lines = require "luge.internal.lines"
local stream = require "luge.internal.stream"

--- The standard input of a Child.
---@class luge.process.Input
local Input = { __name = "Input" }
Input.__index = Input

--- Hands strings or numbers over; waits until the system has taken them, which
--- is when the program has read all but what a pipe holds. Raises `closed` if
--- the program has closed its end, or ended.
---@param ... string|number
---@return luge.process.Input self
function Input:write(...)
  local text = check.written(...)
  if text ~= "" and not self.child:write(text) then
    error(tasks.error { kind = "closed", message = "the process reads no more" }, 0)
  end
  return self
end

--- Ends the input, once what is on its way has been read. Does not wait.
function Input:close()
  self.child:end_input()
end

Input.__close = Input.close

--- What a Child writes, as a Stream of pieces as they come.
---@class luge.process.Output: luge.Stream
local Output = {}

--- A Stream of lines, without their ends ("\n" or "\r\n").
---@param options? { limit?: integer } bytes of a line; default: 16 MiB
---@return luge.Stream, nil, nil, luge.Stream
function Output:lines(options)
  return lines.open(self.raw, options)
end

--- A process that was started.
---@class luge.process.Child
---@field pid integer
---@field stdin luge.process.Input? if it is a pipe
---@field stdout luge.process.Output? the same
---@field stderr luge.process.Output?
local Child = { __name = "Child" }
Child.__index = Child

--- Waits until it has ended: `{ code = }`, or `{ signal =, number = }`, the
--- signal that ended it. What it writes must be read meanwhile, if that is
--- more than a pipe holds.
---@return { code?: integer, signal?: string, number?: integer }
function Child:wait()
  check.own(self, Child, "child", "wait")
  if not self.result then
    local code, number, signal = self.native:wait()
    self.result = { code = code, signal = signal, number = number }
  end
  return self.result
end

--- Sends it a signal, by name or number ("SIGTERM"); false: it has ended.
---@param signal? string|integer
---@return boolean
function Child:kill(signal)
  return self.native:kill(signal or "SIGTERM")
end

--- Reads no more of what it writes, which ends most programs that go on writing.
function Child:end_output()
  self.native:end_output()
end

--- Closes its pipes and ends it, unless it has ended: SIGTERM, and SIGKILL
--- `grace` seconds later. Does not wait: `:wait()` before does.
function Child:close()
  self.native:close()
  self.done:set()
end

Child.__close = Child.close

function Child:__gc()
  self.done:set()
end

local function output(native, which)
  local self = stream.new(function()
    return native:read(which)
  end)
  self.lines = Output.lines
  return self
end

return function(native, name, modes)
  local done = sync.event()
  local servant = serve(done.wait, done)
  servant:name("process " .. name)
  native:keep(servant)
  return setmetatable({
    native = native,
    done = done,
    pid = native:pid(),
    stdin = modes[1] == "pipe" and setmetatable({ child = native }, Input) or nil,
    stdout = modes[2] == "pipe" and output(native, 1) or nil,
    stderr = modes[3] == "pipe" and output(native, 2) or nil,
  }, Child)
end
