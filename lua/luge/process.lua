--- Other programs: run to their end, or spoken with while they run. No shell is
--- involved unless it is asked for: arguments reach the program as they are.
--
-- A child gets /dev/null as its standard input unless told otherwise, no other
-- descriptor of this process, default signal handlers, and the environment of
-- the host (with what `luge.env` has loaded). When its task is cancelled it
-- gets SIGTERM, and SIGKILL after `grace` seconds; the task goes on at once,
-- and the host reaps the child.

local native = require "luge.native.process"
local tasks = require "luge.native.task"
local check = require "luge.internal.check"
local environment = require "luge.internal.environment"

local new_error, is_error = tasks.error, tasks.is_error

---@class luge.process
local process = {}

local DEFAULT_LIMIT <const> = 64 << 20
local GRACE <const> = 2
local LINGER <const> = 1 -- seconds for what still has the pipes of an ended child

---@class luge.process.Options
---@field [integer] string|number the program, looked for in PATH unless it has "/"; its arguments
---@field cwd? string its directory
---@field env? table<string, string|number|false> added to the environment; false: taken out of it
---@field clear_env? boolean nothing but `env` is in its environment
---@field shell? boolean the one string is run by /bin/sh
---@field grace? number seconds from SIGTERM to SIGKILL; default 2

---@class luge.process.RunOptions: luge.process.Options
---@field input? string what it reads; default: nothing
---@field timeout? number seconds
---@field max_output? integer bytes of standard output, and of standard error; default 64 MiB
---@field check? boolean raise `process` unless it exits with 0

---@class luge.process.Result
---@field code? integer its exit status; nil if a signal ended it
---@field signal? string its name, such as "SIGKILL"
---@field stdout string
---@field stderr string

local common = {
  cwd = "string", env = "table", clear_env = "boolean", shell = "boolean", grace = "seconds",
}

local function with_common(known)
  for name, kind in pairs(common) do
    known[name] = kind
  end
  return known
end

local run_options = with_common {
  input = "string", timeout = "seconds", max_output = "whole", check = "boolean",
}

local stdio = { null = true, pipe = true, inherit = true }

local spawn_options = with_common { stdin = "string", stdout = "string", stderr = "string" }

-- The command as a list of strings, and the rest as options.
local function split(name, given, known)
  if type(given) ~= "table" then
    check.bad_argument(name, 1, given, "a table: the program, its arguments, options")
  end
  local command, options = {}, {}
  for i = 1, #given do
    local value = given[i]
    if type(value) ~= "string" and type(value) ~= "number" then
      check.fail("bad argument %d of the program for '%s': got %s, takes a string", i - 1, name,
        check.describe(value))
    end
    command[i] = tostring(value)
  end
  for key, value in next, given do
    if math.type(key) ~= "integer" then
      options[key] = value
    end
  end
  if #command == 0 then
    check.fail("bad argument #1 to '%s': it names no program", name)
  end
  check.options(name, options, known)
  if options.shell then
    if #command > 1 then
      check.fail("'%s' with `shell` takes one string", name)
    end
    command = { "/bin/sh", "-c", command[1] }
  end
  return command, options
end

local function start(command, options, stdin, stdout, stderr)
  if options.env then
    environment.check(options.env)
  end
  return native.spawn(command, options.env, options.clear_env or false, options.cwd,
    stdin, stdout, stderr, options.grace or GRACE)
end

-- Reads an output to its end into `parts`.
local function drain(child, which, parts, name, limit)
  local length = 0
  for piece in function() return child:read(which) end do
    length = length + #piece
    if length > limit then
      parts[#parts + 1] = piece:sub(1, limit - length - 1)
      error(new_error {
        kind = "limit",
        message = ("%s of the process is longer than %d bytes"):format(name, limit),
        what = "output",
        limit = limit,
      }, 0)
    end
    parts[#parts + 1] = piece
  end
end

-- It is no error if the process does not read all of its input.
local function feed(child, input)
  if input ~= "" then
    child:write(input)
  end
  child:end_input()
end

-- Waits for the child's end, and for what it wrote. If it has left a process
-- behind that keeps a pipe open, that is not waited for.
local function follow(scope, child, options, parts)
  local limit = options.max_output or DEFAULT_LIMIT
  if options.input then
    scope:spawn(feed, child, options.input)
  end
  local out = scope:spawn(drain, child, 1, parts.stdout, "standard output", limit)
  local err = scope:spawn(drain, child, 2, parts.stderr, "standard error", limit)
  local code, _, signal = child:wait()
  local ok, failure = pcall(tasks.timeout, LINGER, function()
    out:await()
    err:await()
  end)
  if not ok and not is_error(failure, "timeout") then
    error(failure, 0)
  end
  scope:cancel "the process has ended"
  return code, signal
end

local function attempt(child, options, parts)
  local code, signal
  local function work()
    tasks.scope(function(scope)
      code, signal = follow(scope, child, options, parts)
    end)
  end
  if options.timeout then
    tasks.timeout(options.timeout, work)
  else
    work()
  end
  return code, signal
end

-- What it has written; errors have it too.
local function output_of(parts)
  return table.concat(parts.stdout), table.concat(parts.stderr)
end

local function fail_on(command, result)
  local how = result.signal and "was ended by " .. result.signal
    or ("exited with status %d"):format(result.code)
  local said = result.stderr:match "([^\n]+)\n*$"
  error(new_error {
    kind = "process",
    message = ("%s %s%s"):format(command[1], how, said and ": " .. said:sub(1, 200) or ""),
    code = result.code,
    signal = result.signal,
    stdout = result.stdout,
    stderr = result.stderr,
  }, 0)
end

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
function process.run(options)
  local command
  command, options = split("run", options, run_options)
  local child <close> = start(command, options, options.input and "pipe" or "null", "pipe", "pipe")
  local parts = { stdout = {}, stderr = {} }
  local ok, code, signal = pcall(attempt, child, options, parts)
  if not ok then
    if is_error(code, "timeout") or is_error(code, "limit") then
      code.partial = {}
      code.partial.stdout, code.partial.stderr = output_of(parts)
    end
    error(code, 0)
  end
  local result = { code = code, signal = signal }
  result.stdout, result.stderr = output_of(parts)
  if options.check and code ~= 0 then
    fail_on(command, result)
  end
  return result
end

---@class luge.process.SpawnOptions: luge.process.Options
---@field stdin? "pipe"|"null"|"inherit" default "pipe"
---@field stdout? "pipe"|"null"|"inherit" default "pipe"
---@field stderr? "pipe"|"null"|"inherit"|"stdout" default "pipe"; "stdout": where that goes

--- Starts a program: a Child with `pid`, `stdin`, and `stdout` and `stderr`,
--- Streams of pieces (with `:lines()`), for what is a pipe. A full pipe holds the
--- program up until it is read. It is ended when it is closed (`<close>`), and
--- when the task ends that started it. Does not wait.
---
--- Raises as `process.run` does if it cannot be started.
---@param options luge.process.SpawnOptions
---@return luge.process.Child
function process.spawn(options)
  local command
  command, options = split("spawn", options, spawn_options)
  local modes = {}
  for i, name in ipairs { "stdin", "stdout", "stderr" } do
    local mode = options[name] or "pipe"
    if not stdio[mode] and not (name == "stderr" and mode == "stdout") then
      check.fail("bad option '%s' for 'spawn': got %s, takes \"pipe\", \"null\" or \"inherit\"",
        name, check.describe(mode))
    end
    modes[i] = mode
  end
  local child = start(command, options, modes[1], modes[2], modes[3])
  return require "luge.internal.process_child" (child, command[1], modes)
end

return process
