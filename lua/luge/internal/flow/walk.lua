-- Flows: nodes run one after the other, as their actions say; once, or once for
-- each table of parameters. A flow is a node, so flows nest.

local luge = require "luge"
local check = require "luge.internal.check"
local node = require "luge.internal.flow.node"

local perform, successor = node.perform, node.successor

local walk = {}

--- Nodes that follow each other; see `flow.new`. It is a node, too.
---@class luge.flow.Flow: luge.flow.Node
local Flow = node.class(node.Node)

local function too_many_steps(self, at)
  local message = "the flow has taken %d steps and is at %s: a cycle without an end?"
  error(luge.error {
    kind = "limit",
    message = (message .. " max_steps allows more"):format(self.max_steps, node.label(at)),
    what = "max_steps",
    limit = self.max_steps,
  }, 0)
end

-- Runs the nodes, one after the other; returns the last action.
local function go(self, shared, params)
  local at = self._first
  if not at then
    check.fail "the flow has no start: give flow.new a `start`, or call f:start(node)"
  end
  for _ = 1, self.max_steps do
    local action = at:_perform(shared, params)
    local following = successor(at, action)
    if not following then
      return action
    end
    at = following
  end
  return too_many_steps(self, at)
end

local function execute(of, self, shared)
  return go(of, shared, self.params)
end

function Flow._perform(of, shared, params)
  local action, last = perform(of, shared, params, execute)
  if of.post then
    return action
  end
  return last
end

--- Sets the node that the flow begins with. Returns that node.
---@param first luge.flow.Node
---@return luge.flow.Node first
function Flow:start(first)
  if not node.is(first) then
    check.bad_argument("start", 1, first, "a node or a flow")
  end
  self._first = first
  return first
end

--- Runs the flow. Waits.
---@param shared table what the nodes share
---@return string? action the last one; or what `post` returned
function Flow:run(shared)
  node.check_self(self, "run")
  return self:_perform(shared, node.own_params(self))
end

walk.Flow = Flow

-- Flows that run once per table of parameters.

--- A flow that runs once per table of parameters; see `flow.batch`.
---@class luge.flow.BatchFlow: luge.flow.Flow
local BatchFlow = node.class(Flow)

local function merged(outer, own)
  local params = {}
  for key, value in pairs(outer) do
    params[key] = value
  end
  for key, value in pairs(own) do
    params[key] = value
  end
  return params
end

local function execute_each(of, self, shared, list)
  if list == nil then
    return
  end
  luge.map(list, function(params)
    if type(params) ~= "table" then
      check.fail("the `prep` of flow.batch gave %s, takes a list of parameter tables",
        check.describe(params))
    end
    go(of, shared, merged(self.params, params))
  end, { concurrency = of.concurrency })
end

function BatchFlow._perform(of, shared, params)
  return (perform(of, shared, params, execute_each))
end

walk.BatchFlow = BatchFlow

return walk
