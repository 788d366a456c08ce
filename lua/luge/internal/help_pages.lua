-- The pages of the reference as entries that can be looked up by name. A page
-- has a heading of level 1, the module's; of level 2, its functions and classes;
-- of level 3, the classes' methods.

local pages = {}

-- "luge.Stream:map" as it is looked up: "Stream.map". The module luge is "".
function pages.key(name)
  return (name:gsub(":", "."):gsub("^luge%.?", ""))
end

local function new_entry(name, level, parent)
  local entry = { name = name, key = pages.key(name), level = level, parent = parent,
    lines = {}, children = {} }
  if parent then
    parent.children[#parent.children + 1] = entry
  end
  return entry
end

--- All entries of the pages, which come one after the other, in their order.
function pages.read(text)
  local entries, parents = {}, {}
  local entry
  for line in text:gmatch "([^\n]*)\n" do
    local marks, name = line:match "^(#+) (%S+)$"
    if marks then
      local level = #marks
      entry = new_entry(name, level, parents[level - 1])
      parents[level] = entry
      entries[#entries + 1] = entry
    elseif not line:find "^<!%-%-" then
      entry.lines[#entry.lines + 1] = line
    end
  end
  return entries
end

local function ends_with(key, name)
  return key == name or key:sub(-#name - 1) == "." .. name
end

--- The entries that a name means: the one of that name, or else all whose name
--- ends with it, whatever the case of its letters.
function pages.find(entries, name)
  local key, found = pages.key(name), {}
  for _, entry in ipairs(entries) do
    if entry.key == key then
      return { entry }
    end
  end
  key = key:lower()
  for _, entry in ipairs(entries) do
    if key ~= "" and ends_with(entry.key:lower(), key) then
      found[#found + 1] = entry
    end
  end
  return found
end

-- How many letters must be changed, added or left out, or stand in each other's
-- place, to make one text of the other (the optimal string alignment distance).
local function distance(a, b)
  local before, row = nil, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local new = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      new[j] = math.min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (same and 0 or 1))
      if before and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        new[j] = math.min(new[j], before[j - 2] + 1)
      end
    end
    before, row = row, new
  end
  return row[#b]
end

local function last_part(key)
  return key:match "[^.]+$" or key
end

--- The names that are most like one that is not there, at most `most`.
function pages.suggest(entries, name, most)
  local key, list = pages.key(name):lower(), {}
  local key_last = last_part(key)
  for _, entry in ipairs(entries) do
    local whole = entry.key:lower()
    local last = last_part(whole)
    local by_whole = distance(key, whole)
    local far = last == key_last and 0 or math.min(by_whole, distance(key, last))
    if far <= math.max(1, #key // 3) then
      list[#list + 1] = { entry = entry, far = far, by_whole = by_whole }
    end
  end
  table.sort(list, function(a, b)
    return a.far < b.far or (a.far == b.far and a.by_whole < b.by_whole)
  end)
  local names = {}
  for i = 1, math.min(most, #list) do
    names[i] = list[i].entry.name
  end
  return names
end

return pages
