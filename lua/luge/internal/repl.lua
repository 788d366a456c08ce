-- The prompt of the command: reads Lua, runs it, shows what it returned.
--
-- What is typed runs as a task of its own, detached, and the prompt comes back
-- when its function has returned: what it has spawned goes on in the
-- background, as do detached tasks. An error of theirs is reported when it
-- happens, above the line that is being typed. Ctrl-C cancels the task that the
-- prompt waits for.
local editor = require "luge.command.editor"
local tasks = require "luge.native.task"
local complete = require "luge.internal.repl_complete"
local show = require "luge.internal.repl_show"

-- The editor is for the prompt only: scripts cannot require it.
package.loaded["luge.command.editor"], package.preload["luge.command.editor"] = nil, nil

local globals, load, pcall, xpcall = _G, load, pcall, xpcall
local stdout, stderr = io.stdout, io.stderr
local is_error = tasks.is_error

-- The task that the prompt waits for, and what it waits by.
local running, outcome

-- Compiling.

-- The chunk, which returns the values if the text is an expression; or nil, the
-- error, and whether further lines may complete it.
local function compile(text)
  local expression = text:match "^%s*=(.*)$"
  local chunk = load("return " .. (expression or text), "=stdin", "t", globals)
  if chunk then
    return chunk
  end
  local reason
  chunk, reason = load(expression and "return " .. expression or text, "=stdin", "t", globals)
  return chunk, reason, reason ~= nil and reason:find "<eof>'?$" ~= nil
end

-- Lines until they make a chunk, and the text. An interrupt begins anew: no
-- text; at the end of the input: false.
local function read_chunk(read_line)
  local text
  repeat
    local line = read_line(text == nil)
    if not line then
      return line, text
    end
    text = text and text .. "\n" .. line or line
    local _, _, unfinished = compile(text)
  until not unfinished
  return text, nil
end

-- Running.

local function finish(future, ok, ...)
  local result = table.pack(...)
  local trace = not ok and tasks.trace_of(result[1])
  if trace then
    result.trace = trace:gsub("\n\t%[C%]: in %?\n", "\n", 1) -- the handler
  end
  result.failed = not ok
  future:resolve(result)
end

-- Settles the outcome of a function that was interrupted: that error passes
-- through `xpcall`, but `<close>` handlers run.
local function leave(future)
  if not future:done() then
    future:resolve { failed = true, interrupted = true }
  end
end

local function evaluate(chunk, future)
  local _ <close> = setmetatable({}, { __close = function() leave(future) end })
  finish(future, xpcall(chunk, tasks.note_trace))
end

-- Called as a task of its own when Ctrl-C is pressed and nothing is typed. A
-- task that never came to run has no outcome of its own.
local function interrupted()
  local task, future = running, outcome
  if task then
    task:cancel "interrupted"
    pcall(task.await, task)
    leave(future)
  end
end

-- What every task waits for can no longer come: also that of the prompt.
local function wait_for_outcome()
  local ok, result = pcall(outcome.await, outcome)
  if not ok and is_error(result, "deadlock") then
    running:cancel "deadlock"
    return { failed = true, result }
  elseif not ok then
    error(result, 0)
  end
  return result
end

local function run(chunk)
  outcome = tasks.future()
  running = tasks.detach(evaluate, chunk, outcome)
  running:name "what was typed"
  local result = wait_for_outcome()
  running, outcome = nil, nil
  return result
end

-- Showing.

local function report(result)
  local err = result[1]
  if result.interrupted or is_error(err, "cancelled") then
    stderr:write "interrupted\n"
    return
  end
  stderr:write(show.error(err, result.trace), "\n")
end

local function print_values(result)
  for i = 1, result.n do
    stdout:write(show.value(result[i]), "\n")
  end
  if result.n > 0 then
    globals._ = result[1]
  end
end

local hinted = false

-- Said once: it surprises everybody.
local function hint_at_local(text)
  if not hinted and text:find "^%s*local%s" then
    hinted = true
    stderr:write "(a local is gone with what was typed; without 'local' it stays)\n"
  end
end

local function run_chunk(text, is_terminal)
  local chunk, reason = compile(text)
  if not chunk then
    stderr:write(reason, "\n")
    return
  end
  local result = run(chunk)
  if result.failed then
    report(result)
    return
  end
  local ok, err = pcall(print_values, result)
  if not ok then
    stderr:write(show.error(err), "\n")
  end
  if is_terminal then
    hint_at_local(text)
  end
end

-- Reading.

local function prompt(first)
  local text = globals[first and "_PROMPT" or "_PROMPT2"]
  return text ~= nil and tostring(text) or first and "> " or ">> "
end

-- A line; nil after an interrupt, false at the end.
local function edit_line(first)
  while true do
    local event, text = editor.read(prompt(first))
    if event == "tab" then
      editor.answer(complete(text, globals, editor.index))
    elseif event == "line" then
      return text
    elseif event == "end" then
      return false
    else
      return nil
    end
  end
end

local function read_plainly(shows_prompt)
  return function(first)
    if shows_prompt then
      stdout:write(prompt(first))
      stdout:flush()
    end
    return io.stdin:read "l" or false
  end
end

local function loop(read_line, is_terminal)
  while true do
    local text, rest = read_chunk(read_line)
    if text == false then
      if rest then
        run_chunk(rest, is_terminal)
      end
      return
    elseif text and text:find "%S" then
      if is_terminal then
        editor.remember(text)
      end
      run_chunk(text, is_terminal)
    end
  end
end

return function()
  tasks.current():name "the prompt"
  globals.luge = globals.luge or require "luge"
  if editor.open(interrupted) then
    stdout:write("luge ", editor.version, ", ", _VERSION,
      ". Anything may wait; Ctrl-C cancels it, Ctrl-D leaves.\n")
    loop(edit_line, true)
  else
    loop(read_plainly(require("luge.native.terminal").is_terminal(0)), false)
  end
end
