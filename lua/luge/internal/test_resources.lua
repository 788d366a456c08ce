-- What a test, or the hooks of a group, has opened through luge.test, and what
-- went wrong there outside of its task. One test runs at a time: the innermost
-- record is the running test's, or the group's.
local resources = {}

local active

--- Opens a record. `problems` is where the failures go.
---@param problems string[]
function resources.open(problems)
  local record = { outer = active, problems = problems, closers = {} }
  active = record
  return record
end

--- Has `close` called when the test has ended, shielded; the last one first.
--- Not in a test: does nothing.
---@param close fun()
function resources.own(close)
  if active then
    table.insert(active.closers, close)
  end
end

--- Fails the test that runs. Says whether there is one.
---@param problem string
function resources.fail(problem)
  if active then
    table.insert(active.problems, problem)
  end
  return active ~= nil
end

--- Closes everything in the record, and leaves it. `protect(problems, fn)` calls
--- a function and notes its error.
function resources.close(record, protect)
  for i = #record.closers, 1, -1 do
    protect(record.problems, record.closers[i])
  end
  active = record.outer
end

return resources
