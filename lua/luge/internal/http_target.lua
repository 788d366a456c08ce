-- What a request asks for: its target (RFC 9112, section 3.2) taken apart.

local char, find, gsub, match, sub = string.char, string.find, string.gsub, string.match, string.sub

local function unhex(digits) return char(tonumber(digits, 16)) end

---Undoes percent-encoding. Returns nil where it is malformed or hides a NUL.
local function decode(text)
  if not find(text, "%", 1, true) then return text end
  if find(text, "%%00") or find(gsub(text, "%%%x%x", ""), "%", 1, true) then
    return nil
  end
  return (gsub(text, "%%(%x%x)", unhex))
end

---The pairs of a query string or form (application/x-www-form-urlencoded): the first
---value of each name, and a list of all `{ name, value }` in their order.
---Returns nil where it is malformed.
local function query(text)
  local first, list = {}, {}
  for pair in string.gmatch(text, "[^&]+") do
    local name, value = match(pair, "^([^=]*)=?(.*)$")
    name, value = decode((gsub(name, "+", " "))), decode((gsub(value, "+", " ")))
    if not name or not value then return nil end
    list[#list + 1] = { name, value }
    if first[name] == nil then first[name] = value end
  end
  return first, list
end

-- A name or an address, and a port.
local function is_host(text)
  local host = gsub(text, ":%d*$", "")
  return find(host, "^[%w%-._~%%]+$") or find(host, "^%[[%x:.]+%]$")
end

-- The host and the port of a URL, and what follows them. Returns nothing for
-- other schemes, and for hosts that no URL of them has (RFC 9110, section 4.2).
local function split_url(target)
  local scheme, host, rest = match(target, "^(%a+)://([%w%-._~%%:%[%]]+)(.*)$")
  scheme = scheme and scheme:lower()
  if (scheme ~= "http" and scheme ~= "https") or not is_host(host) then return end
  local first = sub(rest, 1, 1)
  if first == "/" then return host, rest end
  if first == "" or first == "?" then return host, "/" .. rest end
end

---The path, still encoded, the query string or nil, and the host that a URL
---names. Returns nothing for a target that is neither a path, nor a URL, nor `*`.
local function split(target)
  local host
  if sub(target, 1, 1) ~= "/" then
    if target == "*" then return target end
    host, target = split_url(target)
    if not host then return end
  end
  if find(target, "#", 1, true) then return end
  local mark = find(target, "?", 1, true)
  if not mark then return target, nil, host end
  return sub(target, 1, mark - 1), sub(target, mark + 1), host
end

return { decode = decode, query = query, split = split }
