-- URLs of requests: what is appended to them.
local native = require "luge.native.http_client"
local check = require "luge.internal.check"

local escape = native.escape
local concat, sort = table.concat, table.sort

local http_url = {}

local function add(list, name, value)
  local kind = type(value)
  if kind == "table" then
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

-- `{ name = value }` as `name=value&...`, in the order of the names; a list
-- `{ { name, value }, ... }` in its own.
function http_url.encode(values)
  local list = {}
  if type(values[1]) == "table" then
    for i = 1, #values do
      add(list, values[i][1], values[i][2])
    end
    return concat(list, "&")
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
  local text = type(query) == "string" and query or http_url.encode(query)
  if text == "" then
    return url
  end
  local before, fragment = url:match "^([^#]*)(.*)$"
  local mark = not before:find("?", 1, true) and "?" or before:find "[?&]$" and "" or "&"
  return before .. mark .. text .. fragment
end

return http_url
