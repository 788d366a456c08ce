-- Values as a store keeps them, and rows as it reads them.
local json = require "luge.json"
local new_error = require("luge.native.task").error
local check = require "luge.internal.check"

local json_encode, json_decode = json.encode, json.decode

local MAX_KEY <const> = 1 << 20
local sorted = { sort_keys = true }

local codec = {}

local function raise_limit(what, length, limit)
  error(new_error {
    kind = "limit",
    message = ("%s of %d bytes is longer than %d"):format(what, length, limit),
    what = "bytes",
    limit = limit,
  }, 0)
end

function codec.check_key(key)
  if #key > MAX_KEY then
    raise_limit("a key", #key, MAX_KEY)
  end
end

--- The bytes of a value, and whether they are JSON. The same value gives the
--- same bytes.
function codec.encode(part, name, position, value)
  local bytes, is_json = value, false
  if value == nil then
    check.bad_argument(name, position, value, "a string, or a value that JSON has a form for")
  elseif type(value) ~= "string" then
    bytes, is_json = json_encode(value, sorted), true
  end
  if #bytes > part.max_value then
    raise_limit("a value", #bytes, part.max_value)
  end
  return bytes, is_json
end

--- The value, or nil if there are no bytes.
function codec.decode(bytes, is_json)
  if is_json then
    return json_decode(bytes)
  end
  return bytes
end

--- A function that gives the rows one by one, as a Stream takes them: lists of
--- what `label` makes of the first column, and the value. `read(count)` gives
--- the next rows, none at the end; `left` is how many are wanted. A read that
--- fails is tried again by the next call.
function codec.pages(read, left, page, label)
  local rows, at, n = {}, 1, 0
  return function()
    if at > n then
      if left <= 0 then
        return nil
      end
      local count = math.tointeger(math.min(left, page))
      rows = read(count)
      at, n = 1, #rows
      left = n == 0 and 0 or left - n // 3
      if n == 0 then
        return nil
      end
    end
    local row = { label(rows[at]), codec.decode(rows[at + 1], rows[at + 2]) }
    at = at + 3
    return row
  end
end

return codec
