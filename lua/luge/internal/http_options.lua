-- Options of HTTP requests and clients: what each takes. What is checked here,
-- C takes as it is.
local check = require "luge.internal.check"
local mask = require("luge.native.http_client").mask

local type, next, math_type = type, next, math.type
local fail, describe = check.fail, check.describe

local function is_seconds(value)
  return type(value) == "number" and value > 0
end

local function is_count(value)
  return math_type(value) == "integer" and value >= 1
end

local function is_whole(value)
  return math_type(value) == "integer" and value >= 0
end

local function is_text(value)
  return type(value) == "string" and value ~= "" and not value:find "\0"
end

local function is_table(value)
  return type(value) == "table"
end

local function is_boolean(value)
  return type(value) == "boolean"
end

local versions = { ["1.0"] = true, ["1.1"] = true, ["2"] = true, h2c = true }

-- A token becomes a line of the head; a user ends at the first colon (RFC 7617).
local function is_auth(value)
  if type(value) ~= "table" then return false end
  if value.bearer ~= nil then
    return type(value.bearer) == "string" and not value.bearer:find "[\r\n\0]"
  end
  return type(value[1]) == "string" and type(value[2]) == "string"
    and not value[1]:find(":", 1, true)
end

local function is_body(value)
  if type(value) == "table" and value.file ~= nil then
    return true
  end
  return type(value) == "string" or check.is_callable(value) -- a Stream is
end

local function anything()
  return true
end

local seconds = { is_seconds, "a number of seconds above 0; math.huge for no limit" }
local text = { is_text, "a string" }
local count = { is_count, "an integer from 1" }

-- An absolute one; to it are appended paths.
local function is_base(value)
  return is_text(value) and value:find "^[Hh][Tt][Tt][Pp][Ss]?://[^/]" ~= nil
    and not value:find "[?#]"
end

-- What a message may show of a value that holds secrets where it is wrong, too.
local function kind_of(value)
  return "a " .. type(value)
end

local function masked(value)
  return describe(type(value) == "string" and mask(value) or value)
end

-- How each option is tested, and how messages call what it takes, and show what
-- it got. `special`: C looks for it in the table.
local function special(test)
  return { test[1], test[2], special = true }
end

local shared = {
  headers = { is_table, "a table of names and values", kind_of },
  auth = { is_auth, "{ user, password }, without a colon in the user,"
    .. " or { bearer = token }, in one line", kind_of },
  timeout = seconds,
  redirects = { is_whole, "an integer from 0" },
  connect_timeout = special(seconds),
  idle_timeout = special(seconds),
  proxy = special { function(value) return type(value) == "string" end,
    "a URL, or \"\" for none" },
  verify = special { is_boolean, "true or false" },
  ca = special { is_text, "a path or PEM text" },
  cert = special { is_text, "a path or PEM text" },
  key = special { is_text, "a path or PEM text" },
  http_version = special { function(value) return versions[value] ~= nil end,
    '"1.0", "1.1", "2" or "h2c"' },
  max_body = special(count),
  unix_socket = special(text),
}

local function extend(options)
  for name, option in next, shared do
    options[name] = option
  end
  return options
end

local request = extend {
  method = { is_text, "a word of letters" },
  url = { is_text, "a string" },
  query = { function(value) return type(value) == "table" or type(value) == "string" end,
    "a table of names and values, or a string" },
  body = { is_body, "a string, { file = path }, a Stream or an iterator; 'json' takes a table" },
  json = { anything },
  form = { is_table, "a table of names and values" },
  multipart = { is_table, "a table of fields" },
  stream = { is_boolean, "true or false" },
  on_progress = { check.is_callable, "a function" },
}

local client = extend {
  base_url = { is_base, "an absolute URL of http or https, without query and fragment", masked },
  max_connections = count,
  max_per_host = count,
  cookies = { is_boolean, "true or false" },
}

local function names_of(known)
  local names = {}
  for name in next, known do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, ", ")
end

local function refuse(known, where, name, value)
  local option = known[name]
  if not option then
    fail("unknown option %s for '%s', which knows: %s", describe(name), where, names_of(known))
  end
  fail("bad option '%s' for '%s': got %s, takes %s", name, where,
    (option[3] or describe)(value), option[2])
end

-- Raises unless all are known and right; says whether C is to see the table.
local function check_all(known, where, options)
  local has_special = false
  for name, value in next, options do
    local option = known[name]
    if not option or not option[1](value) then
      refuse(known, where, name, value)
    end
    has_special = has_special or option.special
  end
  return has_special
end

local bodies = { "body", "json", "form", "multipart" }

local function check_bodies(options)
  local given
  for i = 1, #bodies do
    if options[bodies[i]] ~= nil then
      if given then
        fail("options '%s' and '%s' are both given: a request has one body", given, bodies[i])
      end
      given = bodies[i]
    end
  end
end

local http_options = {}

function http_options.request(where, options)
  if type(options) ~= "table" then
    check.bad_argument(where, 2, options, "a table of options, or nothing")
  end
  local has_special = check_all(request, where, options)
  if options.json == nil or options.body ~= nil or options.form ~= nil
    or options.multipart ~= nil then
    check_bodies(options)
  end
  return has_special
end

function http_options.client(options)
  if type(options) ~= "table" then
    check.bad_argument("client", 1, options, "a table of options, or nothing")
  end
  check_all(client, "client", options)
end

return http_options
