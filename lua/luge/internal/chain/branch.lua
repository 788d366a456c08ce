-- chain.branch: the first Runnable whose condition holds.

local check = require "luge.internal.chain.check"
local runnable = require "luge.internal.chain.runnable"

local Branch = {}

function Branch:_choose(input)
  for i, condition in ipairs(self.conditions) do
    local holds
    if runnable.is(condition) then
      holds = condition:invoke(input)
    else
      holds = condition(input)
    end
    if holds then return self.steps[i] end
  end
  return self.steps[#self.conditions + 1]
end

function Branch:_invoke(input, run)
  return runnable.call(self:_choose(input), input, run)
end

function Branch:_open(input, run)
  return runnable.lazily(function()
    return runnable.open(self:_choose(input), input, run)
  end)
end

function Branch:_branches()
  local names = {}
  for i = 1, #self.conditions do names[i] = tostring(i) end
  names[#names + 1] = "default"
  return names, self.steps
end

runnable.class("branch", "chain", Branch)

local function add_choice(self, choice, i)
  local where = "chain.branch: choice " .. i
  if type(choice) ~= "table" or runnable.is(choice) or #choice ~= 2 then
    check.invalid("%s is %s, takes { condition, runnable }", where, check.describe(choice))
  end
  if not runnable.is(choice[1]) then check.argument(where, choice[1], check.callable) end
  self.conditions[i] = choice[1]
  self.steps[i] = runnable.coerce(choice[2], where)
end

-- The last is no choice: that one was forgotten would be seen late.
local function check_default(default)
  if type(default) == "table" and getmetatable(default) == nil and #default == 2 then
    check.invalid("chain.branch: the last is a choice { condition, runnable }, takes the default: "
      .. "a Runnable or a function for what no condition holds of")
  end
end

return function(choices)
  check.argument("chain.branch", choices, check.table)
  if #choices < 2 then
    check.invalid("chain.branch: takes choices { condition, runnable } and, last, the default")
  end
  local self = { conditions = {}, steps = {} }
  check_default(choices[#choices])
  for i = 1, #choices - 1 do add_choice(self, choices[i], i) end
  self.steps[#choices] = runnable.coerce(choices[#choices], "chain.branch: the default")
  return runnable.new(Branch, self)
end
