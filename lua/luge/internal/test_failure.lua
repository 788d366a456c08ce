-- What went wrong in a test, in words.
local native = require "luge.native.task"

local failure = {}

-- Whether a line of a traceback says nothing about the test.
local function is_noise(line)
  return line:find "luge[./]internal[./]test_run" or line:find "luge[./]internal[./]test_failure"
    or line:find "luge/test.lua:"
    or line:find "luge.test:" or line:find "^%s*%[C%]: in %?$"
    or line:find "%[C%]: in function 'error'"
end

--- A traceback without what is the runner's.
function failure.trim(traceback)
  local kept = {}
  for line in traceback:gmatch "[^\n]+" do
    if not is_noise(line) then
      kept[#kept + 1] = line
    end
  end
  return table.concat(kept, "\n")
end

--- An error as the report of a test has it: what it says, and where it was raised.
function failure.describe(err, traceback)
  local ok, text = pcall(tostring, err)
  text = ok and text or "an error whose __tostring raises"
  if native.is_error(err, "assertion") then
    text = err.message
  end
  if native.is_error(err) and not traceback then
    traceback = err.traceback
  end
  traceback = failure.trim(traceback or "")
  return traceback ~= "" and text .. "\n" .. traceback or text
end

--- Calls `fn(...)`; adds its error to the problems. Says whether there was none.
function failure.protect(problems, fn, ...)
  local traceback
  local ok, problem = xpcall(fn, function(err)
    traceback = debug.traceback(nil, 2)
    return err -- as it is, for the `<close>` handlers of the test
  end, ...)
  if not ok then
    problems[#problems + 1] = failure.describe(problem, traceback)
  end
  return ok
end

return failure
