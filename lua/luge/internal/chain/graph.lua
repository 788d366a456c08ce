-- `:graph()`: what a Runnable is made of, as nodes and edges, to be drawn.

local quoted = require("luge.internal.mermaid").quoted

local graph = {}

local Graph = {}
Graph.__index = Graph
Graph.__name = "luge.Graph"

local add -- forward

local function node(self, label)
  local id = #self.nodes + 1
  self.nodes[id] = { id = id, label = label }
  return { id }, { id }
end

local function edge(self, from, to, label)
  self.edges[#self.edges + 1] = { from = from, to = to, label = label }
end

local function connect(self, from, to)
  for _, a in ipairs(from) do
    for _, b in ipairs(to) do edge(self, a, b) end
  end
end

local function add_sequence(self, steps)
  local entries, exits
  for _, step in ipairs(steps) do
    local first, last = add(self, step)
    if exits then connect(self, exits, first) end
    entries, exits = entries or first, last
  end
  return entries, exits
end

local function add_branches(self, step)
  local entries, exits = node(self, tostring(step))
  local from = exits[1]
  exits = {}
  local names, steps = step:_branches()
  for i, inner in ipairs(steps) do
    local first, last = add(self, inner)
    for _, id in ipairs(first) do edge(self, from, id, tostring(names[i])) end
    table.move(last, 1, #last, #exits + 1, exits)
  end
  return entries, exits
end

-- Adds the steps, each of which is used if the one before it fails.
local function add_fallback(self, steps)
  local entries, exits, before = nil, {}, nil
  for _, step in ipairs(steps) do
    local first, last = add(self, step)
    if before then edge(self, before[1], first[1], "on error") end
    entries, before = entries or first, first
    table.move(last, 1, #last, #exits + 1, exits)
  end
  return entries, exits
end

local function add_wrapped(self, step)
  local count = #self.nodes
  local entries, exits = add(self, step:_children()[1])
  if #self.nodes == count + 1 then
    local only = self.nodes[count + 1]
    only.label = ("%s (%s)"):format(only.label, step._name or step._label)
  end
  return entries, exits
end

function add(self, step)
  if step._branches then return add_branches(self, step) end
  if not step._children then return node(self, tostring(step)) end
  local children = step:_children()
  if step._label == "sequence" then return add_sequence(self, children) end
  if step._label == "fallback" then return add_fallback(self, children) end
  return add_wrapped(self, step)
end

--- The graph of a Runnable: `nodes` and `edges`.
function graph.of(step)
  local self = setmetatable({ nodes = {}, edges = {} }, Graph)
  local start = node(self, "input")
  local entries, exits = add(self, step)
  local last = node(self, "output")
  connect(self, start, entries)
  connect(self, exits, last)
  return self
end

--- The graph in Mermaid's language.
---@return string text
function Graph:mermaid()
  local lines = { "graph TD" }
  for _, n in ipairs(self.nodes) do
    local round = n.id == 1 or n.id == #self.nodes
    local form = round and "  n%d([%s])" or "  n%d[%s]"
    lines[#lines + 1] = form:format(n.id, quoted(n.label))
  end
  for _, e in ipairs(self.edges) do
    local arrow = e.label and ("-- %s -->"):format(quoted(e.label)) or "-->"
    lines[#lines + 1] = ("  n%d %s n%d"):format(e.from, arrow, e.to)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function one_line(label)
  return (label:gsub("%c+", " "))
end

local function box(label)
  local rule = "+" .. ("-"):rep((utf8.len(label) or #label) + 2) .. "+"
  return { rule, "| " .. label .. " |", rule }
end

local function arrows(self, n)
  local lines = {}
  for _, e in ipairs(self.edges) do
    if e.from == n.id then
      local label = e.label and (" (%s)"):format(e.label) or ""
      lines[#lines + 1] = one_line(("  `--> %s%s"):format(self.nodes[e.to].label, label))
    end
  end
  return lines
end

-- Whether the only edge of a node leads to the next one, and is the only edge
-- to that: then an arrow down is enough.
local function goes_down(self, n)
  local out, into = 0, 0
  for _, e in ipairs(self.edges) do
    if e.from == n.id then out = out + (e.to == n.id + 1 and not e.label and 1 or 2) end
    if e.to == n.id + 1 then into = into + 1 end
  end
  return out == 1 and into == 1
end

--- The graph as text: a box for each node, an arrow down to the next one, and
--- a list of where it goes if that is elsewhere.
---@return string text
function Graph:ascii()
  local lines = {}
  for _, n in ipairs(self.nodes) do
    local drawn = box(one_line(n.label))
    table.move(drawn, 1, #drawn, #lines + 1, lines)
    local below = goes_down(self, n) and { "   |", "   v" } or arrows(self, n)
    table.move(below, 1, #below, #lines + 1, lines)
  end
  return table.concat(lines, "\n") .. "\n"
end

return graph
