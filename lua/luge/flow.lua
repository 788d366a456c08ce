--- PocketFlow's model: a node prepares, executes and concludes; its conclusion
--- is an action, and the action chooses the node that comes next.
--- What nodes share is one table, `shared`, that all of them are passed.
---
--- Every function of a node may wait. A run of a node gets an object of its own
--- as `self`: it reads the node's fields, and what is written to it is gone
--- with the run. Its `params` are those of the flow that runs it.
local check = require "luge.internal.check"
local node = require "luge.internal.flow.node"
local walk = require "luge.internal.flow.walk"

---@class luge.flow
local flow = {}

local MAX_STEPS = 1000000

-- Fields that luge knows, and what they take. Other fields are the node's own.
local kinds = {
  prep = "function",
  exec = "function",
  post = "function",
  fallback = "function",
  name = "string",
  params = "table",
  links = "table",
  retries = "count",
  wait = "seconds",
  concurrency = "count",
  max_steps = "count",
}

-- Fields that only some of the functions here take.
local takers = {
  exec = { node = true, batch_node = true },
  fallback = { node = true, batch_node = true },
  retries = { node = true, batch_node = true },
  wait = { node = true, batch_node = true },
  concurrency = { batch_node = true, batch = true },
  max_steps = { new = true, batch = true },
  links = { new = true, batch = true },
}

-- PocketFlow's names: here they would be fields of a node's own, and do nothing.
local renamed = {
  max_retries = "retries",
  exec_fallback = "fallback",
  exec_fallback_async = "fallback",
  prep_async = "prep",
  exec_async = "exec",
  post_async = "post",
}

-- Fields that would hide the methods of nodes.
local reserved = { on = true, next = true, run = true, mermaid = true,
  successors = true, instances = true }

local function check_fields(maker, fields)
  local known = {}
  for key, value in pairs(fields) do
    if reserved[key] then
      check.fail("'%s' takes no field '%s': nodes have it already", maker, key)
    elseif renamed[key] then
      check.fail("'%s' takes no '%s': here it is '%s'", maker, key, renamed[key])
    elseif takers[key] and not takers[key][maker] then
      check.fail("'%s' takes no '%s', which is for %s", maker, key,
        takers[key].node and "flow.node and flow.batch_node"
          or takers[key].new and "flow.new and flow.batch" or "flow.batch_node and flow.batch")
    end
    if kinds[key] then
      known[key] = value
    end
  end
  check.options(maker, known, kinds)
end

local function create(maker, class, fields, defaults)
  check.argument(maker, 1, fields, "table")
  check_fields(maker, fields)
  local made = setmetatable({ successors = {} }, class)
  for key, value in pairs(defaults) do
    made[key] = value
  end
  for key, value in pairs(fields) do
    made[key] = value
  end
  made.instances = { __index = made }
  return made
end

local function create_node(maker, class, fields, defaults)
  local made = create(maker, class, fields, defaults)
  if not (fields.prep or fields.exec or fields.post) then
    check.fail("a node that does nothing: flow.%s takes `prep`, `exec` or `post`", maker)
  end
  return made
end

--- A node. `prep(self, shared)` reads what is needed; `exec(self, prepared)`
--- does the work, and is tried `retries` (1) times in all with `wait` (0)
--- seconds between; `fallback(self, prepared, err)` gives the result when the
--- last attempt has failed; `post(self, shared, prepared, result)` writes what
--- came out and returns the action (nil: "default"). `self.attempt` counts
--- from 1. All are optional, but one must be there. Other fields are the
--- node's own; `name` is what messages and diagrams call it, and `params` what
--- it finds in `self.params` where it is run by itself, outside of any flow.
---@param fields table
---@return luge.flow.Node
function flow.node(fields)
  return create_node("node", node.Node, fields, { retries = 1, wait = 0 })
end

--- A node whose `exec` runs for each item that `prep` returned: a list, an
--- iterator or a Stream, read lazily. `concurrency` (1) items are at work at
--- once, each with its own attempts. `post` gets the list of results.
---@param fields table as for `flow.node`, and `concurrency`
---@return luge.flow.BatchNode
function flow.batch_node(fields)
  return create_node("batch_node", node.BatchNode, fields,
    { retries = 1, wait = 0, concurrency = 1 })
end

local function create_flow(maker, class, fields, defaults)
  fields = fields or {}
  local made = create(maker, class, fields, defaults)
  made.start, made.links = nil, nil
  for i, link in pairs(fields.links or {}) do
    if not node.is(link) then
      check.fail("link %s of '%s' is %s, takes a >> b or a - \"action\" >> b", tostring(i), maker,
        node.is_open(link) and "an action that leads nowhere" or check.describe(link))
    end
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
---@param fields? table `start`, `prep`, `post`, `links`, `max_steps`, `name`, `params`
---@return luge.flow.Flow
function flow.new(fields)
  return create_flow("new", walk.Flow, fields, { max_steps = MAX_STEPS })
end

--- A flow that runs once per table of parameters that `prep` returned (a list,
--- an iterator or a Stream, read lazily), `concurrency` (1) at once. The nodes
--- find the parameters, with those of the flows around, in `self.params`.
---@param fields table as for `flow.new`, and `concurrency`
---@return luge.flow.BatchFlow
function flow.batch(fields)
  return create_flow("batch", walk.BatchFlow, fields, { max_steps = MAX_STEPS, concurrency = 1 })
end

--- Whether a value is a node; a flow is one.
---@type fun(value: any): boolean
flow.is_node = node.is

return flow
