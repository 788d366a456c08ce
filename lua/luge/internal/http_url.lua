-- URLs of requests: what is appended to them.
local native = require "luge.native.http_client"
local check = require "luge.internal.check"

local escape = native.escape
local concat, sort = table.concat, table.sort

local http_url = {}

local function is_list(value)
  local count = 0
  for _ in next, value do
    count = count + 1
  end
  return count == #value
end

local function add(list, name, value)
  local kind = type(value)
  if kind == "table" and is_list(value) then
    for i = 1, #value do
      add(list, name, value[i])
    end
  elseif kind == "string" or kind == "number" or kind == "boolean" then
    list[#list + 1] = escape(tostring(name)) .. "=" .. escape(tostring(value))
  else
    check.fail("value of '%s' is %s, takes a string, a number, a boolean or a list of them",
      tostring(name), check.describe(value))
  end
end

local function encode_pairs(list, values)
  if not is_list(values) then
    check.fail("a list of { name, value } has other keys too, takes one or the other")
  end
  for i = 1, #values do
    local pair = values[i]
    if type(pair) ~= "table" or pair[1] == nil then
      check.fail("item %d of a list of { name, value } is %s", i,
        type(pair) == "table" and "without a name" or check.describe(pair))
    end
    add(list, pair[1], pair[2])
  end
  return concat(list, "&")
end

-- `{ name = value }` as `name=value&...`, in the order of the names; a list
-- `{ { name, value }, ... }` in its own.
function http_url.encode(values)
  local list = {}
  if type(values[1]) == "table" then
    return encode_pairs(list, values)
  end
  local names = {}
  for name in next, values do
    names[#names + 1] = name
  end
  sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for i = 1, #names do
    add(list, names[i], values[names[i]])
  end
  return concat(list, "&")
end

function http_url.join(base, url)
  if not base or url:find "^%a[%w+.-]*://" then
    return url
  elseif url == "" then
    return base
  elseif url:find "^[?#]" then
    return base .. url
  end
  return base:gsub("/$", "") .. "/" .. url:gsub("^/", "")
end

function http_url.with_query(url, query)
  local text = type(query) == "string" and query:gsub("#", "%%23") or http_url.encode(query)
  if text == "" then
    return url
  end
  local before, fragment = url:match "^([^#]*)(.*)$"
  local mark = not before:find("?", 1, true) and "?" or before:find "[?&]$" and "" or "&"
  return before .. mark .. text .. fragment
end

return http_url
