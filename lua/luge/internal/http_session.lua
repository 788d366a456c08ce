-- Clients: sessions with a pool of connections, and how they send requests.
local native = require "luge.native.http_client"
local answer = require "luge.internal.http_answer"
local options_of = require "luge.internal.http_options"
local urls = require "luge.internal.http_url"
local check = require "luge.internal.check"

local fetch, open, now = native.fetch, native.open, require("luge.native.task").now
local new_answer, check_options = answer.new, options_of.request
local type, setmetatable = type, setmetatable
local encode

-- Bytes of a body that is not streamed; seconds.
local MAX_BODY <const> = 64 << 20
local CONNECT_TIMEOUT <const>, IDLE_TIMEOUT <const> = 10, 60

-- How many redirects are followed for requests that change nothing.
local REDIRECTS <const> = 5

--- A session; see `http.client`.
---@class luge.http.Client
---@field get fun(self, url: string, options?: luge.http.Options): luge.http.Response
---@field head fun(self, url: string, options?: luge.http.Options): luge.http.Response
---@field post fun(self, url: string, options?: luge.http.Options): luge.http.Response
---@field put fun(self, url: string, options?: luge.http.Options): luge.http.Response
---@field patch fun(self, url: string, options?: luge.http.Options): luge.http.Response
---@field delete fun(self, url: string, options?: luge.http.Options): luge.http.Response
local Client = {}
Client.__index = Client
Client.__name = "luge.http.Client"

local function authorization(auth)
  if auth.bearer then
    return "Bearer " .. auth.bearer
  end
  return "Basic " .. native.base64(auth[1] .. ":" .. auth[2])
end

-- The request's body as C takes it, and its media type.
local function body_of(options)
  if options.json ~= nil then
    encode = encode or require("luge.json").encode
    return encode(options.json), "application/json"
  end
  local body = options.body
  if type(body) == "string" or (body == nil and not options.form and not options.multipart) then
    return body, nil
  elseif options.form then
    return urls.encode(options.form), "application/x-www-form-urlencoded"
  end
  return require("luge.internal.http_body").open(options)
end

-- A request whose progress is watched is sent in pieces, and its answer read in
-- pieces.
local function watched(self, options, body, extra)
  if type(body) == "string" then
    body = require("luge.internal.http_body").text(body)
  end
  if options.stream then
    return body, extra
  end
  local all = { whole = true, max_body = self.max_body }
  for name, value in next, extra or all do
    all[name] = value
  end
  return body, all
end

local function exchange(request, client)
  local call = request.streaming and open or fetch
  return call(client.native, request.method, request.url, request.headers, request.body,
    request.type, request.timeout, request.extra)
end

-- With a body that comes piece by piece, a task sends the pieces meanwhile.
local function send(request, client)
  if type(request.body) == "table" then
    return require("luge.internal.http_body").send(request, client, exchange)
  end
  return exchange(request, client)
end

local none = {}

local function extra_of(options, has_special)
  if not options.auth then
    return has_special and options or nil
  end
  local extra = { authorization = authorization(options.auth) }
  if has_special then
    for name, value in next, options do
      extra[name] = value
    end
  end
  return extra
end

local function perform(self, where, method, url, options)
  options = options or none
  local has_special = options ~= none and check_options(where, options)
  if type(url) ~= "string" then
    check.own(self, Client, "client", where)
    check.bad_argument(where, 1, url, "a URL")
  end
  if self.base_url then
    url = urls.join(self.base_url, url)
  end
  if options.query then
    url = urls.with_query(url, options.query)
  end
  local body, media_type = body_of(options)
  local left = options.redirects or self.redirects
    or ((method == "GET" or method == "HEAD") and REDIRECTS or 0)
  local timeout = options.timeout or self.timeout
  local extra = (has_special or options.auth) and extra_of(options, has_special) or nil
  local streaming, on_progress = options.stream or false, options.on_progress
  if on_progress then
    body, extra = watched(self, options, body, extra)
  end
  if left == 0 and type(body) ~= "table" and not on_progress then
    local call = streaming and open or fetch
    local status, headers, content =
      call(self.native, method, url, options.headers, body, media_type, timeout, extra)
    return new_answer(status, headers, content, url, streaming)
  end
  local request = {
    method = method, url = url, headers = options.headers, body = body, type = media_type,
    timeout = timeout, extra = extra, on_progress = on_progress,
    streaming = streaming or on_progress ~= nil, started = timeout and now(), redirects = left,
  }
  local status, headers, content = send(request, self)
  if left > 0 and status >= 300 and status < 400 then
    local follow = require "luge.internal.http_redirect"
    status, headers, content = follow(self, request, send, status, headers, content)
  end
  local response = new_answer(status, headers, content, request.url, request.streaming)
  if on_progress and not streaming then
    return require("luge.internal.http_progress")(response, on_progress)
  end
  return response
end

--- Sends a request, as `http.request` does.
---@param options luge.http.Request
---@return luge.http.Response
function Client:request(options)
  if type(options) ~= "table" then
    check.own(self, Client, "client", "request")
    check.bad_argument("request", 1, options, "a table of options")
  end
  local method = options.method or "GET"
  if type(method) ~= "string" then
    check.fail("bad option 'method' for 'request': got %s, takes a string",
      check.describe(method))
  end
  return perform(self, "request", method:upper(), options.url, options)
end

-- `get` and the like take their method and URL as arguments only.
local function check_fixed(name, options)
  if type(options) == "table" and (options.method ~= nil or options.url ~= nil) then
    check.fail("'%s' takes no option 'method' or 'url': use 'request'", name)
  end
end

local function add_method(name, method)
  Client[name] = function(self, url, options)
    if options then
      check_fixed(name, options)
    end
    return perform(self, name, method, url, options)
  end
end

add_method("get", "GET")
add_method("head", "HEAD")
add_method("post", "POST")
add_method("put", "PUT")
add_method("patch", "PATCH")
add_method("delete", "DELETE")

--- As `http.download`.
---@param url string
---@param path string
---@param options? luge.http.DownloadOptions
---@return luge.http.Downloaded
function Client:download(url, path, options)
  check.own(self, Client, "client", "download")
  return require("luge.internal.http_download")(self, url, path, options)
end

--- As `http.events`.
---@param url string
---@param options? luge.http.EventsOptions
---@return luge.Stream, nil, nil, luge.Stream
function Client:events(url, options)
  check.own(self, Client, "client", "events")
  return require("luge.internal.http_events")(self, url, options)
end

--- Closes the client and its connections: what is under way raises `closed`.
function Client:close()
  check.own(self, Client, "client", "close")
  native.close(self.native)
end

Client.__close = Client.close

function Client:__tostring()
  return "luge.http.Client" .. (self.base_url and (": " .. native.mask(self.base_url)) or "")
end

local function default_headers(options)
  local headers = options.headers
  if not options.auth then
    return headers
  end
  local all = {}
  for name, value in next, headers or none do
    if not (type(name) == "string" and name:lower() == "authorization") then
      all[name] = value
    end
  end
  all.Authorization = authorization(options.auth)
  return all
end

local session = { Client = Client }

-- `options` are those of `http.client`.
function session.new(options)
  options_of.client(options)
  local settings = {
    connect_timeout = CONNECT_TIMEOUT, idle_timeout = IDLE_TIMEOUT,
    max_body = MAX_BODY, max_connections = 100, cookies = true,
  }
  for name, value in next, options do
    settings[name] = value
  end
  settings.max_stream = options.max_body
  return setmetatable({
    native = native.client(default_headers(options), settings),
    base_url = options.base_url,
    timeout = options.timeout,
    redirects = options.redirects,
    max_body = settings.max_body,
  }, Client)
end

local shared

--- The client of the module's functions.
function session.shared()
  shared = shared or session.new { cookies = false }
  return shared
end

--- A POST of a text, of which nothing is left to check. Returns status, headers
--- and body; follows no redirect. Waits.
function session.post_text(client, url, headers, text, timeout)
  return fetch(client.native, "POST", url, headers, text, nil, timeout)
end

return session
