-- Base64 (RFC 4648), for images.

local base64 = {}

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local digits, values = {}, {}
for i = 0, 63 do
  digits[i] = alphabet:sub(i + 1, i + 1)
  values[digits[i]] = i
end

local function three(a, b, c)
  local bits = a << 16 | b << 8 | c
  return digits[bits >> 18] .. digits[bits >> 12 & 63] .. digits[bits >> 6 & 63]
    .. digits[bits & 63]
end

--- The text of the bytes.
function base64.encode(bytes)
  local parts, n = {}, 0
  local whole = #bytes - #bytes % 3
  for i = 1, whole, 3 do
    n = n + 1
    parts[n] = three(bytes:byte(i, i + 2))
  end
  local left = #bytes - whole
  if left == 1 then
    parts[n + 1] = three(bytes:byte(-1), 0, 0):sub(1, 2) .. "=="
  elseif left == 2 then
    local a, b = bytes:byte(-2, -1)
    parts[n + 1] = three(a, b, 0):sub(1, 3) .. "="
  end
  return table.concat(parts)
end

--- The bytes of a text; of what is no base64, as far as it is.
function base64.decode(text)
  local parts, bits, count = {}, 0, 0
  for char in text:gmatch("[%w+/]") do
    bits, count = bits << 6 | values[char], count + 6
    if count >= 8 then
      count = count - 8
      parts[#parts + 1] = string.char(bits >> count & 255)
      bits = bits & (1 << count) - 1
    end
  end
  return table.concat(parts)
end

local signatures = {
  { "^\xff\xd8\xff", "image/jpeg" }, { "^GIF8", "image/gif" }, { "^RIFF....WEBP", "image/webp" },
}

local function media_type(bytes)
  for _, entry in ipairs(signatures) do
    if bytes:find(entry[1]) then return entry[2] end
  end
  return "image/png"
end

--- The media type and the text of a part that is an image; nothing if that is at
--- an address.
function base64.of_image(part)
  local data = part.data
  if data then return part.media_type or media_type(data), base64.encode(data) end
  return part.url:match("^data:([^;,]*);base64,(.*)$")
end

return base64
