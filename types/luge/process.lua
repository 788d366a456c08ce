---@meta luge.process
-- Made by scripts/reference from the annotations in lua/luge.

do
---@class luge.process.Options
---@field [integer] string|number the program, looked for in PATH unless it has "/"; its arguments
---@field cwd? string its directory
---@field env? table<string, string|number|false> added to the environment; false: taken out of it
---@field clear_env? boolean nothing but `env` is in its environment
---@field shell? boolean the one string is run by /bin/sh
---@field grace? number seconds from SIGTERM to SIGKILL; default 2
local class = {}

end

do
---@class luge.process.RunOptions: luge.process.Options
---@field input? string what it reads; default: nothing
---@field timeout? number seconds
---@field max_output? integer bytes of standard output, and of standard error; default 64 MiB
---@field check? boolean raise `process` unless it exits with 0
local class = {}

end

do
---@class luge.process.Result
---@field code? integer its exit status; nil if a signal ended it
---@field signal? string its name, such as "SIGKILL"
---@field stdout string
---@field stderr string
local class = {}

end

do
---@class luge.process.SpawnOptions: luge.process.Options
---@field stdin? "pipe"|"null"|"inherit" default "pipe"
---@field stdout? "pipe"|"null"|"inherit" default "pipe"
---@field stderr? "pipe"|"null"|"inherit"|"stdout" default "pipe"; "stdout": where that goes
local class = {}

end

do
--- The standard input of a Child.
---@class luge.process.Input
local class = {}

--- Hands strings or numbers over; waits until the system has taken them, which
--- is when the program has read all but what a pipe holds. Raises `closed` if
--- the program has closed its end, or ended.
---@param ... string|number
---@return luge.process.Input # self
function class:write(...) end

--- Ends the input, once what is on its way has been read. Does not wait.
function class:close() end

end

do
--- What a Child writes, as a Stream of pieces as they come.
---@class luge.process.Output: luge.Stream
local class = {}

--- A Stream of lines, without their ends ("\n" or "\r\n").
---@param options? { limit?: integer } bytes of a line; default: 16 MiB
---@return luge.Stream, nil, nil, luge.Stream
function class:lines(options) end

end

do
--- A process that was started.
---@class luge.process.Child
---@field pid integer
---@field stdin luge.process.Input? if it is a pipe
---@field stdout luge.process.Output? the same
---@field stderr luge.process.Output?
local class = {}

--- Waits until it has ended: `{ code = }`, or `{ signal =, number = }`, the
--- signal that ended it. What it writes must be read meanwhile, if that is
--- more than a pipe holds.
---@return { code?: integer, signal?: string, number?: integer }
function class:wait() end

--- Sends it a signal, by name or number ("SIGTERM"); false: it has ended.
---@param signal? string|integer
---@return boolean
function class:kill(signal) end

--- Reads no more of what it writes, which ends most programs that go on writing.
function class:end_output() end

--- Closes its pipes and ends it, unless it has ended: SIGTERM, and SIGKILL
--- `grace` seconds later. Does not wait: `:wait()` before does.
function class:close() end

end

---@class luge.process
local process = {}

--- Runs a program to its end: `process.run{ "git", "status", cwd = dir }`.
--- Waits.
---
--- It ends when the program has, and its output has been read: that of another
--- process that it left behind with its pipes, for one second more.
---
--- Raises `process`: with `errno` and `path` if it cannot be started ("ENOENT":
--- there is no such program, or directory); with `check`, the fields of the
--- result if it did not exit with 0. `timeout`, and `limit` for too much output,
--- end it, and have in `partial` what it wrote: `{ stdout =, stderr = }`.
---@param options luge.process.RunOptions
---@return luge.process.Result
function process.run(options) end

--- Starts a program: a Child with `pid`, `stdin`, and `stdout` and `stderr`,
--- Streams of pieces (with `:lines()`), for what is a pipe. A full pipe holds the
--- program up until it is read. It is ended when it is closed (`<close>`), and
--- when the task ends that started it. Does not wait.
---
--- Raises as `process.run` does if it cannot be started.
---@param options luge.process.SpawnOptions
---@return luge.process.Child
function process.spawn(options) end

return process
