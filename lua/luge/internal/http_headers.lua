-- HTTP header fields as a table: names in lower case, values as strings, those
-- of a name that came more than once joined by ", " (RFC 9110, section 5.3).
-- Reading and writing ignore the case of names; `headers:all(name)` lists the
-- values of a name as they came.

-- headers -> { name = { value, ... } } for the names that came more than once
local repeated_of = setmetatable({}, { __mode = "k" })

local methods = {}

---Lists every value of a field, in the order in which they came.
---@param name string
---@return string[] # empty if there is none
function methods:all(name)
  name = name:lower()
  local repeated = repeated_of[self]
  if repeated and repeated[name] then
    return { table.unpack(repeated[name]) }
  end
  return { rawget(self, name == "all" and "All" or name) }
end

local metatable = { __name = "luge.Headers" }

function metatable.__index(headers, name)
  if type(name) ~= "string" then return nil end
  return rawget(headers, name:lower()) or methods[name]
end

function metatable.__newindex(headers, name, value)
  rawset(headers, type(name) == "string" and name:lower() or name, value)
end

---Makes `fields` itself such a table. A field called "all" is kept as "All": it
---would hide the method.
---@param fields table<string, string> lower-case name -> value
---@param repeated table<string, string[]>? lower-case name -> values
local function new(fields, repeated)
  repeated_of[fields] = repeated
  fields.All, fields.all = fields.all, nil
  return setmetatable(fields, metatable)
end

return { new = new }
