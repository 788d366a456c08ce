---@meta luge.flow
-- Made by scripts/reference from the annotations in lua/luge.

do
--- `a >> b` is `a:next(b)`, and `a - "action" >> b` is `a:on("action", b)`.
---@class luge.flow.Node
---@operator shr(luge.flow.Node): luge.flow.Node
---@operator sub(string): any
local class = {}

--- Says which node comes after this one on an action. Returns that node.
---@param action string
---@param following luge.flow.Node
---@return luge.flow.Node # following
function class:on(action, following) end

--- The node that comes after this one on the action "default".
---@param following luge.flow.Node
---@return luge.flow.Node # following
function class:next(following) end

--- Runs this node alone, whatever its successors.
---@param shared table
---@return string? # action
function class:run(shared) end

--- The flow or node as a Mermaid diagram.
---@return string
function class:mermaid() end

end

do
--- A node that executes each item of a list; see `flow.batch_node`.
---@class luge.flow.BatchNode: luge.flow.Node
local class = {}

end

do
--- Nodes that follow each other; see `flow.new`. It is a node, too.
---@class luge.flow.Flow: luge.flow.Node
local class = {}

--- Sets the node that the flow begins with. Returns that node.
---@param first luge.flow.Node
---@return luge.flow.Node # first
function class:start(first) end

--- Runs the flow. Waits.
---@param shared table what the nodes share
---@return string? # action the last one; or what `post` returned
function class:run(shared) end

end

do
--- A flow that runs once per table of parameters; see `flow.batch`.
---@class luge.flow.BatchFlow: luge.flow.Flow
local class = {}

end

---@class luge.flow
local flow = {}

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
function flow.node(fields) end

--- A node whose `exec` runs for each item that `prep` returned: a list, an
--- iterator or a Stream, read lazily. `concurrency` (1) items are at work at
--- once, each with its own attempts. `post` gets the list of results.
---@param fields table as for `flow.node`, and `concurrency`
---@return luge.flow.BatchNode
function flow.batch_node(fields) end

--- A flow from node to node. `start` is the first; `links` is a place to write
--- `a >> b` in. `prep(self, shared)` and `post(self, shared, prepared,
--- last_action)` run before and after; what `post` returns is the flow's
--- action. A flow is a node, so flows nest. More than `max_steps` (1000000)
--- nodes in one run is a `limit` error.
---@param fields? table `start`, `prep`, `post`, `links`, `max_steps`, `name`, `params`
---@return luge.flow.Flow
function flow.new(fields) end

--- A flow that runs once per table of parameters that `prep` returned (a list,
--- an iterator or a Stream, read lazily), `concurrency` (1) at once. The nodes
--- find the parameters, with those of the flows around, in `self.params`.
---@param fields table as for `flow.new`, and `concurrency`
---@return luge.flow.BatchFlow
function flow.batch(fields) end

--- Whether a value is a node; a flow is one.
---@param value any
---@return boolean
function flow.is_node(value) end

return flow
