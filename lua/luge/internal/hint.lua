-- What a server says about when to try again, in seconds from now:
-- `retry-after-ms`, as OpenAI sends it, before `Retry-After`, a number of
-- seconds or a date (RFC 9110, sections 10.2.3 and 5.6.7).
local native = require "luge.native.task"
local floor = math.floor

local hint = {}

local months = {
  jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6,
  jul = 7, aug = 8, sep = 9, oct = 10, nov = 11, dec = 12,
}

-- Days from 1970-01-01 in the Gregorian calendar, counted in years that begin
-- in March, so that a leap day is the last one.
local function days_from_civil(year, month, day)
  year = month <= 2 and year - 1 or year
  local month_from_march = (month + 9) % 12
  local day_of_year = (153 * month_from_march + 2) // 5 + day - 1
  return 365 * year + year // 4 - year // 100 + year // 400 + day_of_year - 719468
end

local function seconds_of(year, month, day, hour, minute, second)
  month = months[month:lower()]
  if not month then
    return nil
  end
  local days = days_from_civil(floor(year), month, floor(day))
  return ((days * 24 + hour) * 60 + minute) * 60 + second
end

-- A year of two digits is at most 50 years ahead.
local function full_year(year)
  local this_year = 1970 + floor(native.time() / 31556952)
  local full = this_year - this_year % 100 + year
  return full > this_year + 50 and full - 100 or full
end

-- Seconds from 1970 of a date in one of the three forms of HTTP, or nil.
function hint.date(text)
  local day, month, year, h, m, s =
    text:match "^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  if day then
    return seconds_of(year, month, day, h, m, s)
  end
  day, month, year, h, m, s =
    text:match "^%a+, (%d%d)%-(%a%a%a)%-(%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  if day then
    return seconds_of(full_year(tonumber(year)), month, day, h, m, s)
  end
  month, day, h, m, s, year =
    text:match "^%a+ (%a%a%a) +(%d%d?) (%d%d):(%d%d):(%d%d) (%d%d%d%d)$"
  if day then
    return seconds_of(year, month, day, h, m, s)
  end
  return nil
end

local function number(text)
  return type(text) == "string" and text:match "^%s*%-?%d+%.?%d*%s*$" and tonumber(text)
end

-- The seconds that a Retry-After value means, 0 or more, or nil.
function hint.parse(value)
  if type(value) == "number" then
    return value == value and math.max(0, value) or nil
  elseif type(value) ~= "string" then
    return nil
  end
  local seconds = number(value)
  if not seconds then
    local date = hint.date(value:match "^%s*(.-)%s*$")
    seconds = date and date - native.time()
  end
  return seconds and math.max(0, seconds)
end

-- A header; in a plain table its name may be written in any case.
local function header(headers, name)
  local value = headers[name]
  if value == nil and type(headers) == "table" then
    for key, other in pairs(headers) do
      if type(key) == "string" and key:lower() == name then
        return other
      end
    end
  end
  return value
end

-- The same for the headers of a response.
function hint.of_headers(headers)
  local milliseconds = number(header(headers, "retry-after-ms"))
  if milliseconds then
    return math.max(0, milliseconds / 1000)
  end
  return hint.parse(header(headers, "retry-after"))
end

-- The same for an error, which has `retry_after` or `headers`; or nil.
function hint.of_error(err)
  if type(err) ~= "table" then
    return nil
  elseif err.retry_after ~= nil then
    return hint.parse(err.retry_after)
  end
  local kind = type(err.headers)
  return (kind == "table" or kind == "userdata") and hint.of_headers(err.headers) or nil
end

return hint
