--- HTTP: a client on libcurl, and a server.
--
-- The functions of the module use one client, which keeps connections open and
-- shares them, without cookies; `http.client` makes others. TLS certificates
-- are checked, bodies are decompressed, and everything has a limit.
--
-- Nothing is retried in secret, save an idempotent request on a kept connection
-- that died before any byte of its answer. What waits raises, beside
-- `cancelled`, errors of these kinds, with the `url` masked and the `phase`
-- (`dns`, `connect`, `tls`, `send`, `headers`, `body`):
--
--   network    `code`: dns, connect, reset, tls, proxy, protocol
--   timeout    `seconds`
--   truncated  the body ended early: `partial` holds what came
--   limit      `what`: body, head, line, event, redirects, descriptors
--   closed     the client was closed
--   invalid    a bad URL, header or option; nothing was sent
--
-- The first three are `retryable`, but for bad certificates.
--
-- https://www.rfc-editor.org/rfc/rfc9110

local session = require "luge.internal.http_session"

---@class luge.http
local http = {}

--- What a request may have beside its URL. Times are in seconds, above 0;
--- `math.huge` is no limit.
---@class luge.http.Options
---@field query? table<string, any>|string[][]|string added to the URL, percent-encoded
---@field headers? table<string, string|number|string[]|false> false: not sent
---@field body? string|{ file: string }|luge.Stream|fun(): string?
---@field json? any encoded by luge.json; the content type says so
---@field form? table<string, any>|string[][] as HTML forms encode it
---@field multipart? table<string, string|luge.http.Part>|luge.http.Part[] in order if a list
---@field auth? string[]|{ bearer: string } `{ user, password }`, or a token
---@field timeout? number for the whole answer; with `stream`, for its head; default none
---@field connect_timeout? number from the look-up of the name to TLS; default 10
---@field idle_timeout? number for each wait for bytes, not for the body's source; default 60
---@field redirects? integer how many are followed; default 5 for GET and HEAD, else 0
---@field proxy? string "" for none; default: what the environment says
---@field verify? boolean check certificates; default true
---@field ca? string certificates of authorities, a path or PEM text
---@field cert? string the client's certificate, a path or PEM text
---@field key? string its key, a path or PEM text
---@field http_version? "1.0"|"1.1"|"2"|"h2c" "2" (the default) falls back to 1.1
---@field unix_socket? string path of a socket to connect to in place of the URL's host
---@field max_body? integer bytes, decompressed; default 64 MiB, and none with `stream`
---@field stream? boolean return once the head is there; the body is read piece by piece
---@field on_progress? fun(state: luge.http.Progress) as bytes go, and come without `stream`

---@class luge.http.Part
---@field name? string in a list of parts
---@field data? string
---@field path? string a file, in place of data
---@field filename? string
---@field type? string media type

---@class luge.http.Progress
---@field received integer bytes of the answer
---@field total? integer of these, if it was announced
---@field sent? integer bytes of the request's body
---@field to_send? integer of these, if it is known

---@class luge.http.Request: luge.http.Options
---@field url string
---@field method? string default "GET"

local client = session.shared

--- Sends a request and returns the answer. Waits.
---@param options luge.http.Request
---@return luge.http.Response
function http.request(options)
  return client():request(options)
end

--- Sends a GET request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.get(url, options)
  return client():get(url, options)
end

--- Sends a HEAD request: the answer has no body. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.head(url, options)
  return client():head(url, options)
end

--- Sends a POST request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.post(url, options)
  return client():post(url, options)
end

--- Sends a PUT request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.put(url, options)
  return client():put(url, options)
end

--- Sends a PATCH request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.patch(url, options)
  return client():patch(url, options)
end

--- Sends a DELETE request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.delete(url, options)
  return client():delete(url, options)
end

--- The defaults of a client's requests, and its own: `headers` are added to
--- those of a request, unless that has them.
---@class luge.http.ClientOptions: luge.http.Options
---@field base_url? string a relative URL is appended to it
---@field max_connections? integer open at once; further requests wait; default 100
---@field max_per_host? integer the same for each host; default no limit
---@field cookies? boolean keep and send them; default true

--- A session: a client with its own connections, cookies and defaults, and the
--- functions of the module as methods. Closed by `<close>`, by `close`, or
--- when it is collected. Does not wait.
---@param options? luge.http.ClientOptions
---@return luge.http.Client
function http.client(options)
  return session.new(options or {})
end

---@class luge.http.DownloadOptions: luge.http.Options
---@field progress? boolean draw a progress bar on a terminal

---@class luge.http.Downloaded
---@field path string
---@field size integer bytes
---@field resumed integer how often it was
---@field status integer
---@field headers luge.http.Headers
---@field url string

--- Writes the answer to a GET request to a file: to a temporary one beside it,
--- which takes its place once it is whole. A broken connection is resumed, up
--- to five times in a row without a byte, if the server says that the file is
--- still the same; else it begins again. No limit but the disk. A file there
--- hands its permissions on; a link is replaced. `timeout` is for the head of
--- each answer. Waits.
---
--- Raises `http` for an answer without success, 304 too, `io` where the file
--- cannot be written, or is none (a directory, /dev/null), and what a request
--- raises. Until the end, what was at the path stays.
---@param url string
---@param path string
---@param options? luge.http.DownloadOptions
---@return luge.http.Downloaded
function http.download(url, path, options)
  return client():download(url, path, options)
end

---@class luge.http.EventsOptions: luge.http.Options
---@field retry? number seconds before it reconnects, until the server says; default 3
---@field attempts? integer in a row that bring no event, before it raises; default 10
---@field last_event_id? string to go on from

--- Server-Sent Events, as a Stream that reconnects, with Last-Event-ID, when
--- the connection breaks or ends; the pause doubles, up to a minute, while
--- nothing comes. It ends when the server answers 204.
---
--- Raises `http` for an answer of status 400 or more, `network` with code
--- `protocol` and its beginning in `body` for one that is no event stream, what
--- the first connection raises, and what the last of the attempts does.
---@param url string
---@param options? luge.http.EventsOptions
---@return luge.Stream, nil, nil, luge.Stream
function http.events(url, options)
  return client():events(url, options)
end

-- Loads the server when it is first used; raises for names that are only
-- planned.
return setmetatable(http, {
  __index = function(self, name)
    if name == "websocket" then
      require("luge.internal.check").fail "luge.http.websocket is planned, and not there yet"
    elseif name == "server" then
      local server = require "luge.internal.http_server"
      rawset(self, name, server)
      return server
    end
  end,
})
