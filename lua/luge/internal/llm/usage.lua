-- Summed usage: `llm.usage(fn, ...)` adds up what every model called in it, by
-- whatever task it spawns, says that it used.

local context = require "luge.internal.context"
local check = require "luge.internal.chain.check"

local usage = {}

-- In the context: the innermost sum, which names the one around it.
local KEY = "luge.llm.usage"

--- Adds an answer's usage to the sums that it was called in.
function usage.note(values, used)
  local sum = values[KEY]
  while sum do
    sum.total.requests = sum.total.requests + 1
    for name, count in pairs(used or {}) do
      if type(count) == "number" then sum.total[name] = (sum.total[name] or 0) + count end
    end
    sum = sum.outer
  end
end

--- Runs fn(...) and returns the sum, then the results.
function usage.usage(fn, ...)
  check.argument("llm.usage", fn, check.callable)
  local total = { requests = 0, input_tokens = 0, output_tokens = 0 }
  local sum = { total = total, outer = context.get(KEY) }
  return total, context.with({ [KEY] = sum }, fn, ...)
end

return usage
