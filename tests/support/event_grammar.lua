-- Checks the events of a run: every run in it has one start, then pieces, then
-- exactly one end, error or cancellation, and lies within its parents.
local test = require "luge.test"

local grammar = {}

local ENDS = { ["end"] = true, error = true, cancelled = true }

--- Raises where the rules are broken. Returns the names of the events.
function grammar.check(events)
  local open, seen, names = {}, {}, {}
  for i, event in ipairs(events) do
    local what = event.event:match("^on_[%a_]+_(%a+)$")
    names[i] = event.event .. ":" .. event.name
    local id = event.run_id
    if what == "start" then
      test.ok(not seen[id], "a second start of " .. event.name)
      seen[id], open[id] = true, event
    else
      test.ok(open[id], ("%s of %s outside of its run"):format(what, event.name))
    end
    for _, parent in ipairs(event.parent_ids) do
      test.ok(open[parent], event.name .. " outlives its parent")
    end
    if ENDS[what] then open[id] = nil end
    test.ok(what == "start" or what == "stream" or ENDS[what], "unknown " .. event.event)
  end
  test.equal(next(open), nil)
  return names
end

--- The events of a run, and the error that it ended with, or nil.
function grammar.events_of(c, input, options)
  local events = {}
  local ok, err = pcall(function()
    for event in c:events(input, options) do events[#events + 1] = event end
  end)
  return events, not ok and err or nil
end

return grammar
