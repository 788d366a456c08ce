-- Redirects: followed here and not by libcurl, so that each hop is looked at
-- as a request of its own. RFC 9110, 15.4.
local native = require "luge.native.http_client"
local new_error = require("luge.native.task").error

local resolve, origin, close_stream = native.resolve, native.origin, native.close_stream
local is_error, now = require("luge.native.task").is_error, require("luge.native.task").now

local is_redirect = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

local function refuse(url, fields)
  fields.url = native.mask(url)
  fields.message = fields.url .. ": " .. fields.message
  fields.retryable = false
  error(new_error(fields), 0)
end

-- 303 asks for a GET; 301 and 302 get one from a POST, as everywhere.
local function becomes_get(status, method)
  return (status == 303 and method ~= "HEAD") or (status <= 302 and method == "POST")
end

local function without_body(headers)
  local kept = {}
  for name, value in next, headers or kept do
    if not (type(name) == "string" and name:lower():find "^content%-") then
      kept[name] = value
    end
  end
  return kept
end

-- The options without secrets, which are only for the origin that they were given
-- for.
local function make_safe(extra)
  local safe = {}
  for name, value in next, extra or safe do
    safe[name] = value
  end
  safe.safe, safe.authorization, safe.cert, safe.key = true, nil, nil, nil
  return safe
end

-- Where a redirect from `url` leads to.
local function target(request, location, url)
  local to = resolve(url, location)
  local from, at = origin(url), origin(to)
  if from:find "^https:" and not at:find "^https:" then
    refuse(url, {
      kind = "network", code = "protocol",
      message = "redirects from https to http, which is not followed",
    })
  end
  if from ~= at then
    request.extra = make_safe(request.extra)
  end
  return to
end

-- The timeout is for all hops together, and errors name it as it was given.
local function send_in_time(send, request, client, timeout)
  if not timeout then
    return send(request, client)
  end
  local left = timeout - (now() - request.started)
  if left <= 0 then
    local url = native.mask(request.url)
    error(new_error {
      kind = "timeout", seconds = timeout, phase = "headers", url = url, retryable = true,
      message = url .. ": timed out",
    }, 0)
  end
  request.timeout = left
  local ok, status, headers, body = pcall(send, request, client)
  if not ok then
    if is_error(status, "timeout") and math.abs(status.seconds - left) < 1e-6 then
      status.seconds = timeout
    end
    error(status, 0)
  end
  return status, headers, body
end

-- Changes the request into the one that the redirect asks for.
local function turn_to(request, status, location)
  request.url = target(request, location, request.url)
  if becomes_get(status, request.method) then
    request.method, request.body, request.type = "GET", nil, nil
    request.headers = without_body(request.headers)
  end
end

-- `request`, sent by `send(request, client)`, has got this answer. Follows it as
-- long as it is a redirect, `request.redirects` times at most; returns the last
-- answer, which `request` then is the request of.
return function(client, request, send, status, headers, body)
  local left, timeout = request.redirects, request.timeout
  while is_redirect[status] and headers.location do
    if request.streaming then
      close_stream(body)
    end
    if left == 0 then
      refuse(request.url, {
        kind = "limit", what = "redirects", limit = request.redirects,
        message = ("more than %d redirects"):format(request.redirects),
      })
    end
    left = left - 1
    turn_to(request, status, headers.location)
    status, headers, body = send_in_time(send, request, client, timeout)
  end
  return status, headers, body
end
