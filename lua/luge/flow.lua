--- luge.flow: PocketFlow's model. A node prepares, executes and concludes; its
--- conclusion is an action, and the action chooses the node that comes next.
--- What nodes share is one table, `shared`, that all of them are passed.
---
--- Every function of a node may wait. A run of a node gets an object of its own
--- as `self`: it reads the node's fields, and what is written to it is gone
--- with the run. Its `params` are those of the flow that runs it.
local luge = require "luge"
local check = require "luge.internal.check"
local log = require("luge.native.log").write
local pcall, setmetatable, getmetatable = pcall, setmetatable, getmetatable

---@class luge.flow
local flow = {}

local MAX_STEPS = 1000000
local NO_PARAMS = setmetatable({}, {
  __newindex = function()
    check.fail "the parameters of a flow are set by the `prep` of flow.batch"
  end,
})

-- Nodes. A node is a table of its own fields, with these beside them:
-- `successors` (action -> node), and `instances`, the metatable of its runs.

--- `a >> b` is `a:next(b)`, and `a - "action" >> b` is `a:on("action", b)`.
---@class luge.flow.Node
---@operator shr(luge.flow.Node): luge.flow.Node
---@operator sub(string): any
local Node = {}
Node.__index = Node

local function is_node(value)
  local class = getmetatable(value)
  return type(class) == "table" and class.is_flow_node == true
end

local function label(node)
  return node.name or "a node"
end

local function check_action(node, action)
  if type(action) ~= "string" then
    check.fail("%s has the action %s: an action is a string, or nil for \"default\"",
      label(node), check.describe(action))
  end
  return action
end

--- Says which node comes after this one on an action. Returns that node.
---@param action string
---@param node luge.flow.Node
---@return luge.flow.Node node
function Node:on(action, node)
  check.argument("on", 1, action, "string")
  if not is_node(node) then
    check.bad_argument("on", 2, node, "a node or a flow")
  end
  if self.successors[action] and self.successors[action] ~= node then
    log("warn", ("flow: the successor of %s on %q is replaced"):format(label(self), action))
  end
  self.successors[action] = node
  return node
end

--- The node that comes after this one on the action "default".
---@param node luge.flow.Node
---@return luge.flow.Node node
function Node:next(node)
  return self:on("default", node)
end

function Node.__shr(a, b)
  return a:next(b)
end

local Transition = {}
Transition.__index = Transition

function Transition.__shr(transition, node)
  return transition.from:on(transition.action, node)
end

function Node.__sub(node, action)
  check.argument("-", 2, action, "string")
  return setmetatable({ from = node, action = action }, Transition)
end

-- The object that one run of a node works with.
local function instance(node, params)
  return setmetatable({ params = params }, node.instances)
end

-- Whether an error may be tried again: not if the task itself was cancelled,
-- which the next wait would tell anyway.
local function may_retry(err)
  return not luge.is_error(err, "cancelled")
end

-- Runs `exec` for one item: `retries` attempts in all.
local function attempt(self, item)
  local exec = self.exec
  if not exec then
    return nil
  end
  local fallback = self.fallback
  for i = 1, self.retries do
    self.attempt = i
    if i == self.retries and not fallback then
      return exec(self, item)
    end
    local ok, result = pcall(exec, self, item)
    if ok then
      return result
    elseif not may_retry(result) then
      error(result, 0)
    elseif i == self.retries then
      return fallback(self, item, result)
    elseif self.wait > 0 then
      luge.sleep(self.wait)
    end
  end
end

-- `prep`, `execute` and `post`, which all kinds of nodes have in common.
local function perform(node, shared, params, execute)
  local self = instance(node, params)
  local prepared = node.prep and node.prep(self, shared)
  local result = execute(node, self, shared, prepared)
  if node.post then
    return node.post(self, shared, prepared, result)
  end
  return nil, result
end

local function execute_node(_, self, _, prepared)
  return attempt(self, prepared)
end

function Node._perform(node, shared, params)
  return (perform(node, shared, params, execute_node))
end

--- Runs this node alone, whatever its successors.
---@param shared table
---@return string? action
function Node:run(shared)
  if next(self.successors) then
    log("warn", ("flow: %s runs alone, not its successors: put it into a flow"):format(label(self)))
  end
  return self:_perform(shared, NO_PARAMS)
end

--- The flow or node as a Mermaid diagram.
---@return string
function Node:mermaid()
  return require "luge.internal.flow_mermaid"(self)
end

-- Batch nodes.

---@class luge.flow.BatchNode: luge.flow.Node
local BatchNode = setmetatable({}, { __index = Node })

-- Each item has a `self`, and so a count of attempts, of its own.
local function execute_batch(node, self, _, items)
  if items == nil then
    return {}
  end
  return luge.map(items, function(item)
    return attempt(instance(node, self.params), item)
  end, { concurrency = node.concurrency })
end

function BatchNode._perform(node, shared, params)
  return (perform(node, shared, params, execute_batch))
end

-- Flows.

---@class luge.flow.Flow: luge.flow.Node
local Flow = setmetatable({}, { __index = Node })

local function names_of(successors)
  local names = {}
  for action in pairs(successors) do
    names[#names + 1] = ("%q"):format(action)
  end
  table.sort(names)
  return table.concat(names, ", ")
end

-- The node that an action leads to, or nil at the end of the flow.
local function successor(node, action)
  local successors = node.successors
  local found = successors[action == nil and "default" or check_action(node, action)]
  if not found and next(successors) then
    log("warn", ("flow: ends at %s, which has no successor on %q, but on %s"):format(
      label(node), action or "default", names_of(successors)))
  end
  return found
end

local function too_many_steps(self, node)
  local message = "the flow has taken %d steps and is at %s: a cycle without an end?"
  error(luge.error {
    kind = "limit",
    message = (message .. " max_steps allows more"):format(self.max_steps, label(node)),
    what = "max_steps",
    limit = self.max_steps,
  }, 0)
end

-- Runs the nodes, one after the other; returns the last action.
local function walk(self, shared, params)
  local node = self.first
  if not node then
    check.fail "the flow has no start: give flow.new a `start`, or call f:start(node)"
  end
  for _ = 1, self.max_steps do
    local action = node:_perform(shared, params)
    local following = successor(node, action)
    if not following then
      return action
    end
    node = following
  end
  return too_many_steps(self, node)
end

local function execute_flow(node, self, shared)
  return walk(node, shared, self.params)
end

function Flow._perform(node, shared, params)
  local action, last = perform(node, shared, params, execute_flow)
  if node.post then
    return action
  end
  return last
end

--- Sets the node that the flow begins with. Returns that node.
---@param node luge.flow.Node
---@return luge.flow.Node node
function Flow:start(node)
  if not is_node(node) then
    check.bad_argument("start", 1, node, "a node or a flow")
  end
  self.first = node
  return node
end

--- Runs the flow. Waits.
---@param shared table what the nodes share
---@return string? action the last one; or what `post` returned
function Flow:run(shared)
  return self:_perform(shared, NO_PARAMS)
end

-- Flows that run once per table of parameters.

---@class luge.flow.BatchFlow: luge.flow.Flow
local BatchFlow = setmetatable({}, { __index = Flow })

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

local function execute_batch_flow(node, self, shared, list)
  if list == nil then
    return
  end
  luge.map(list, function(params)
    if type(params) ~= "table" then
      check.fail("the `prep` of flow.batch gave %s, takes a list of parameter tables",
        check.describe(params))
    end
    walk(node, shared, merged(self.params, params))
  end, { concurrency = node.concurrency })
end

function BatchFlow._perform(node, shared, params)
  return (perform(node, shared, params, execute_batch_flow))
end

-- Making nodes.

local function seal(class)
  class.__index = class
  class.__shr, class.__sub = Node.__shr, Node.__sub
  class.is_flow_node = true
  return class
end

seal(Node)
seal(BatchNode)
seal(Flow)
seal(BatchFlow)

-- Fields that every kind of node knows, and what they take. Other fields are
-- the node's own.
local kinds = {
  prep = "function",
  exec = "function",
  post = "function",
  fallback = "function",
  name = "string",
  retries = "count",
  wait = "seconds",
  concurrency = "count",
  max_steps = "count",
}

local function create(maker, class, fields, defaults)
  check.argument(maker, 1, fields, "table")
  local known = {}
  for key, value in pairs(fields) do
    if kinds[key] then
      known[key] = value
    end
  end
  check.options(maker, known, kinds)
  local node = setmetatable({ successors = {} }, class)
  for key, value in pairs(defaults) do
    node[key] = value
  end
  for key, value in pairs(fields) do
    node[key] = value
  end
  node.instances = { __index = node }
  return node
end

local function check_functions(maker, fields)
  if not (fields.prep or fields.exec or fields.post) then
    check.fail("a node of '%s' does nothing: it takes `prep`, `exec` or `post`", maker)
  end
end

--- A node. `prep(self, shared)` reads what is needed; `exec(self, prepared)`
--- does the work, and is tried `retries` (1) times in all with `wait` (0)
--- seconds between; `fallback(self, prepared, err)` gives the result when the
--- last attempt has failed; `post(self, shared, prepared, result)` writes what
--- came out and returns the action (nil: "default"). `self.attempt` counts
--- from 1. All are optional, but one must be there. Other fields are the
--- node's own, and `name` is what messages and diagrams call it.
---@param fields table
---@return luge.flow.Node
function flow.node(fields)
  local node = create("node", Node, fields, { retries = 1, wait = 0 })
  check_functions("node", fields)
  return node
end

--- A node whose `exec` runs for each item that `prep` returned: a list, an
--- iterator or a Stream, read lazily. `concurrency` (1) items are at work at
--- once, each with its own attempts. `post` gets the list of results.
---@param fields table as for `flow.node`, and `concurrency`
---@return luge.flow.BatchNode
function flow.batch_node(fields)
  local node = create("batch_node", BatchNode, fields, { retries = 1, wait = 0, concurrency = 1 })
  check_functions("batch_node", fields)
  return node
end

local function create_flow(maker, class, fields, defaults)
  fields = fields or {}
  local made = create(maker, class, fields, defaults)
  made.start, made.links = nil, nil
  if fields.exec then
    check.fail("'%s' takes no exec: a flow executes its nodes", maker)
  end
  if fields.start ~= nil then
    made:start(fields.start)
  end
  return made
end

--- A flow from node to node. `start` is the first; `links` is a place to write
--- `a >> b` in. `prep(self, shared)` and `post(self, shared, prepared,
--- last_action)` run before and after; what `post` returns is the flow's
--- action. A flow is a node, so flows nest. More than `max_steps` (1000000)
--- nodes in one run is a `limit` error.
---@param fields? table `start`, `prep`, `post`, `links`, `max_steps`, `name`
---@return luge.flow.Flow
function flow.new(fields)
  return create_flow("new", Flow, fields, { max_steps = MAX_STEPS })
end

--- A flow that runs once per table of parameters that `prep` returned (a list,
--- an iterator or a Stream, read lazily), `concurrency` (1) at once. The nodes
--- find the parameters, with those of the flows around, in `self.params`.
---@param fields table as for `flow.new`, and `concurrency`
---@return luge.flow.BatchFlow
function flow.batch(fields)
  return create_flow("batch", BatchFlow, fields, { max_steps = MAX_STEPS, concurrency = 1 })
end

--- Whether a value is a node; a flow is one.
---@type fun(value: any): boolean
flow.is_node = is_node

return flow
