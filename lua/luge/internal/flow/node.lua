-- Nodes: what they are linked to, and how one runs.
--
-- A node is a table of its own fields, with these beside them: `successors`
-- (action -> node), and `instances`, the metatable of the objects that its runs
-- work with. Its class has `_perform(node, shared, params) -> action`.

local luge = require "luge"
local check = require "luge.internal.check"
local log = require("luge.native.log").write

local pcall, setmetatable, getmetatable = pcall, setmetatable, getmetatable

local node = {}

--- `a >> b` is `a:next(b)`, and `a - "action" >> b` is `a:on("action", b)`.
---@class luge.flow.Node
---@operator shr(luge.flow.Node): luge.flow.Node
---@operator sub(string): any
local Node = {}

--- What a node that no `flow.batch` runs has as its `params`.
node.NO_PARAMS = setmetatable({}, {
  __newindex = function()
    check.fail "the parameters of a flow are set by the `prep` of flow.batch"
  end,
})

--- Whether a value is a node or a flow.
function node.is(value)
  local class = getmetatable(value)
  return type(class) == "table" and class.is_flow_node == true
end

--- Raises where a method was called with a dot: its `self` is no node.
function node.check_self(self, method)
  if not node.is(self) then
    check.fail("%s: called on %s: write node:%s(...), with a colon", method,
      check.describe(self), method)
  end
end

--- What messages call a node.
function node.label(of)
  return of.name or "a node"
end

-- Links.

--- Says which node comes after this one on an action. Returns that node.
---@param action string
---@param following luge.flow.Node
---@return luge.flow.Node following
function Node:on(action, following)
  node.check_self(self, "on")
  check.argument("on", 1, action, "string")
  if node.is_open(following) then
    check.fail("%s - %q leads nowhere yet: write its link for itself, %s",
      node.label(following.from), following.action, "a >> b, b - \"action\" >> c")
  end
  if not node.is(following) then
    check.bad_argument("on", 2, following, "a node or a flow")
  end
  local before = self.successors[action]
  if before and before ~= following then
    log("warn", ("flow: the successor of %s on %q is replaced"):format(node.label(self), action))
  end
  self.successors[action] = following
  return following
end

--- The node that comes after this one on the action "default".
---@param following luge.flow.Node
---@return luge.flow.Node following
function Node:next(following)
  node.check_self(self, "next")
  return self:on("default", following)
end

local Transition = {}

--- Whether a value is `a - "action"`, with nothing behind it.
function node.is_open(value)
  return getmetatable(value) == Transition
end

function Transition.__shr(transition, following)
  return transition.from:on(transition.action, following)
end

local function then_next(a, b)
  if not node.is(a) then
    check.bad_argument(">>", 1, a, "a node or a flow")
  end
  return a:next(b)
end

local function on_action(a, action)
  if not node.is(a) then
    check.bad_argument("-", 1, a, "a node or a flow")
  end
  check.argument("-", 2, action, "string")
  return setmetatable({ from = a, action = action }, Transition)
end

local function names_of(successors)
  local names = {}
  for action in pairs(successors) do
    names[#names + 1] = ("%q"):format(action)
  end
  table.sort(names)
  return table.concat(names, ", ")
end

local function check_action(of, action)
  if action ~= nil and type(action) ~= "string" then
    check.fail("%s has the action %s: an action is a string, or nil for \"default\"",
      node.label(of), check.describe(action))
  end
end

--- The node that an action leads to, or nil at the end of a flow.
function node.successor(of, action)
  local successors = of.successors
  if not next(successors) then
    check_action(of, action)
    return nil
  end
  local found = successors[action == nil and "default" or action]
  if not found then
    check_action(of, action)
    log("warn", ("flow: ends at %s, which has no successor on %q, but on %s"):format(
      node.label(of), action or "default", names_of(successors)))
  end
  return found
end

-- Runs.

--- What a node or flow that is run by itself has as its `params`.
function node.own_params(of)
  return of.params or node.NO_PARAMS
end

--- The object that one run of a node works with.
function node.instance(of, params)
  return setmetatable({ params = params }, of.instances)
end

-- Makes an attempt that is not the last one, or that a fallback may follow. A
-- cancellation is not a failure: the next wait would raise it again.
local function try(self, exec, item, attempt)
  self.attempt = attempt
  local ok, result = pcall(exec, self, item)
  if not ok and luge.is_error(result, "cancelled") then
    error(result, 0)
  end
  return ok, result
end

--- Runs `exec` for one item: `retries` attempts in all.
function node.attempt(self, item)
  local exec, fallback, retries = self.exec, self.fallback, self.retries
  if not exec then
    return nil
  end
  for i = 1, retries - 1 do
    local ok, result = try(self, exec, item, i)
    if ok then
      return result
    end
    if self.wait > 0 then
      luge.sleep(self.wait)
    end
  end
  if not fallback then
    self.attempt = retries
    return exec(self, item)
  end
  local ok, result = try(self, exec, item, retries)
  if ok then
    return result
  end
  return fallback(self, item, result)
end

--- `prep`, `execute(node, self, shared, prepared)` and `post`, which all kinds
--- of nodes have in common. Returns the action, or nil and the result if there
--- is no `post`.
function node.perform(of, shared, params, execute)
  local self = node.instance(of, params)
  local prepared = of.prep and of.prep(self, shared)
  local result = execute(of, self, shared, prepared)
  if of.post then
    return of.post(self, shared, prepared, result)
  end
  return nil, result
end

local perform, attempt = node.perform, node.attempt

local function execute(_, self, _, prepared)
  return attempt(self, prepared)
end

function Node._perform(of, shared, params)
  return (perform(of, shared, params, execute))
end

--- Runs this node alone, whatever its successors.
---@param shared table
---@return string? action
function Node:run(shared)
  node.check_self(self, "run")
  if next(self.successors) then
    log("warn", ("flow: %s runs alone, not its successors: put it into a flow"):format(
      node.label(self)))
  end
  return self:_perform(shared, node.own_params(self))
end

--- The flow or node as a Mermaid diagram.
---@return string
function Node:mermaid()
  return require "luge.internal.flow.mermaid"(self)
end

--- A class of nodes, which inherits from `base`.
function node.class(base)
  local class = setmetatable({}, { __index = base })
  class.__index = class
  class.__shr, class.__sub = then_next, on_action
  class.is_flow_node = true
  return class
end

Node.__index = Node
Node.__shr, Node.__sub = then_next, on_action
Node.is_flow_node = true
node.Node = Node

-- Batch nodes.

--- A node that executes each item of a list; see `flow.batch_node`.
---@class luge.flow.BatchNode: luge.flow.Node
local BatchNode = node.class(Node)

-- Each item has a `self`, and so a count of attempts, of its own.
local function execute_each(of, self, _, items)
  if items == nil then
    return {}
  end
  return luge.map(items, function(item)
    return attempt(node.instance(of, self.params), item)
  end, { concurrency = of.concurrency })
end

function BatchNode._perform(of, shared, params)
  return (perform(of, shared, params, execute_each))
end

node.BatchNode = BatchNode

return node
