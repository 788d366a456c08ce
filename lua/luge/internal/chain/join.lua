-- Joins: how the pieces of a stream make the whole. A join is made anew for
-- each stream, once its first piece is there: `push(piece)` and `result()`.
-- What streams a type of its own names its join; the default one takes strings
-- and whatever adds up.

local getmetatable, type = getmetatable, type
local concat = table.concat

local join = {}

-- Strings are kept in a list: adding them one by one takes quadratic time.
local function strings(first)
  local parts, n = { first }, 1
  return function(piece)
    n = n + 1
    parts[n] = piece
  end, function()
    return concat(parts, "", 1, n)
  end
end

local function metafield(value, name)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable[name] or nil
end

--- Each piece replaces the one before it: a value that grows.
function join.last()
  local last
  return function(piece) last = piece end, function() return last end
end

-- Joins by `__join` of the first piece's metatable (a join), or else by its
-- `__add`; if it has neither, the last piece is the result.
local function by_type(first)
  if type(first) == "string" then return strings(first) end
  local make = metafield(first, "__join")
  if make then
    local push, result = make()
    push(first)
    return push, result
  end
  local sum, adds = first, type(first) ~= "number" and metafield(first, "__add")
  return function(piece)
    sum = adds and sum + piece or piece
  end, function()
    return sum
  end
end

--- Strings are concatenated, values with `__join` or `__add` added up, and of
--- others the last stays. A piece of another type than those before replaces
--- them.
function join.default()
  local kind, push, result
  return function(piece)
    if type(piece) == kind then return push(piece) end
    kind = type(piece)
    push, result = by_type(piece)
  end, function()
    return result and result()
  end
end

-- A join of fields -> its `joins`.
local fields = setmetatable({}, { __mode = "k" })

--- Pieces are tables with some of the keys of the whole; `joins` (key -> join)
--- says how each key's pieces join, the default one if it does not.
function join.fields(joins)
  local function make()
    local pushes, results, seen = {}, {}, false
    return function(piece)
      seen = true
      for key, value in pairs(piece) do
        if not pushes[key] then
          pushes[key], results[key] = (joins[key] or join.default)()
        end
        pushes[key](value)
      end
    end, function()
      if not seen then return nil end
      local whole = {}
      for key, result in pairs(results) do whole[key] = result() end
      return whole
    end
  end
  fields[make] = joins
  return make
end

-- A deferred join -> the function that finds it.
local deferred = setmetatable({}, { __mode = "k" })

--- The join of a source that is opened by its first pull: `find()` returns it,
--- or nil for the default one.
function join.deferred(find)
  local function make() return (find() or join.default)() end
  deferred[make] = find
  return make
end

local all_last = setmetatable({}, { __index = function() return join.last end })

--- How the fields of a source's pieces join, as the `joins` of join.fields.
function join.of_fields(make)
  while deferred[make] do make = deferred[make]() end
  return fields[make] or all_last
end

--- Whether pieces add up although the source names no join.
function join.adds(piece)
  return metafield(piece, "__join") ~= nil or metafield(piece, "__add") ~= nil
end

--- Pieces are lists; the whole is one after the other.
function join.lists()
  local whole = {}
  return function(piece)
    table.move(piece, 1, #piece, #whole + 1, whole)
  end, function()
    return whole
  end
end

--- Reads a source to its end and returns the whole; nil if it had no piece.
function join.collect(pull, make)
  local first = pull()
  if first == nil then return nil end
  local push, result = (make or join.default)()
  push(first)
  for piece in pull do push(piece) end
  return result()
end

return join
