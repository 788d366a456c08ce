-- Draws a flow as a Mermaid diagram: nodes in the order of their discovery,
-- flows inside flows as subgraphs.

local quoted = require("luge.internal.mermaid").quoted

local function actions_of(node)
  local actions = {}
  for action in pairs(node.successors) do
    actions[#actions + 1] = action
  end
  table.sort(actions)
  return actions
end

local Drawing = {}
Drawing.__index = Drawing

function Drawing:line(text)
  self.lines[#self.lines + 1] = ("  "):rep(self.depth) .. text
end

-- Draws a node and all that it leads to. A list and not a recursion: chains
-- may be long.
function Drawing:chain(first)
  local waiting, seen = { first }, { [first] = true }
  local i = 1
  while waiting[i] do
    local node = waiting[i]
    self:node(node)
    for _, action in ipairs(actions_of(node)) do
      local to = node.successors[action]
      self.links[#self.links + 1] = { node, action, to }
      if not seen[to] then
        seen[to] = true
        waiting[#waiting + 1] = to
      end
    end
    i = i + 1
  end
end

function Drawing:node(node)
  if self.ids[node] then
    return
  end
  self.count = self.count + 1
  local id = "n" .. self.count
  self.ids[node] = id
  local name = quoted(node.name or (node._first and "flow " or "node ") .. self.count)
  if not node._first then
    self:line(('%s[%s]'):format(id, name))
    return
  end
  self:line(('subgraph %s[%s]'):format(id, name))
  self.depth = self.depth + 1
  self:chain(node._first)
  self.depth = self.depth - 1
  self:line "end"
end

function Drawing:draw_links()
  local drawn = {}
  for _, link in ipairs(self.links) do
    local from, action, to = self.ids[link[1]], link[2], self.ids[link[3]]
    local arrow = action == "default" and "-->" or ('-->|%s|'):format(quoted(action))
    local text = ("%s %s %s"):format(from, arrow, to)
    if not drawn[text] then
      drawn[text] = true
      self:line(text)
    end
  end
end

return function(root)
  local drawing = { lines = { "flowchart TD" }, depth = 1, count = 0, ids = {}, links = {} }
  setmetatable(drawing, Drawing)
  drawing:chain(root)
  drawing:draw_links()
  return table.concat(drawing.lines, "\n") .. "\n"
end
