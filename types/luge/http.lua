---@meta luge.http
-- Made by scripts/reference from the annotations in lua/luge.

do
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
local class = {}

end

do
---@class luge.http.Part
---@field name? string in a list of parts
---@field data? string
---@field path? string a file, in place of data
---@field filename? string
---@field type? string media type
local class = {}

end

do
---@class luge.http.Progress
---@field received integer bytes of the answer
---@field total? integer of these, if it was announced
---@field sent? integer bytes of the request's body
---@field to_send? integer of these, if it is known
local class = {}

end

do
---@class luge.http.Request: luge.http.Options
---@field url string
---@field method? string default "GET"
local class = {}

end

do
--- The defaults of a client's requests, and its own: `headers` are added to
--- those of a request, unless that has them.
---@class luge.http.ClientOptions: luge.http.Options
---@field base_url? string a relative URL is appended to it
---@field max_connections? integer open at once; further requests wait; default 100
---@field max_per_host? integer the same for each host; default no limit
---@field cookies? boolean keep and send them; default true
local class = {}

end

do
---@class luge.http.DownloadOptions: luge.http.Options
---@field progress? boolean draw a progress bar on a terminal
local class = {}

end

do
---@class luge.http.Downloaded
---@field path string
---@field size integer bytes
---@field resumed integer how often it was
---@field status integer
---@field headers luge.http.Headers
---@field url string
local class = {}

end

do
---@class luge.http.EventsOptions: luge.http.Options
---@field retry? number seconds before it reconnects, until the server says; default 3
---@field attempts? integer in a row that bring no event, before it raises; default 10
---@field last_event_id? string to go on from
local class = {}

end

do
--- The answer to a request.
---@class luge.http.Response
---@field status integer
---@field headers luge.http.Headers
---@field url string the last one, after redirects
---@field body string unless the response is streamed
---@field http_version "1.0"|"1.1"|"2"|"3"
---@field reused boolean whether it came on a kept connection
---@field timings luge.http.Timings
local class = {}

--- The next piece of a streamed body, of any length; nil at the end. Waits.
---
--- Raises `network`, `timeout`, `truncated`, `limit` if the body breaks off;
--- `closed` after `close`. A cancelled read closes the response.
---@return string?
function class:read() end

--- The whole body as text, of a streamed response too: what of that was not
--- yet read. Waits if so, and raises as `read`, with what came in `partial`.
---@return string
function class:text() end

--- The body, decoded from JSON by luge.json. Of a streamed response it is read
--- to its end first. Raises `parse` if it is none.
---@return any
function class:json() end

--- Whether the status is one of success, 200 to 299.
---@return boolean
function class:ok() end

--- Returns the response; or, with a status of 400 or more, raises `http`, with
--- `status`, `headers`, `url`, `body` (its first 16 KiB), `retry_after` (seconds from
--- now, if the server named a time), and `retryable` by the status. Waits to
--- read the beginning of a streamed body, which it closes.
---@return luge.http.Response # self
function class:raise_for_status() end

--- Iterates over the pieces of a streamed body as they come:
--- `for piece in response:chunks() do`. Leaving the loop closes the response.
--- Waits, and raises as `read`.
---@return luge.http.Reader, nil, nil, luge.http.Reader
function class:chunks() end

--- Iterates over the lines of a streamed body, without their LF or CRLF.
--- Leaving the loop closes the response. Waits, and raises as `read`, and
--- `limit` for a line of more than 16 MiB.
---@return luge.http.Reader, nil, nil, luge.http.Reader
function class:lines() end

--- Iterates over the Server-Sent Events of a streamed body, as the WHATWG
--- specification reads them; an event that the end cuts off is not given.
--- Leaving the loop closes the response. Waits, and raises as `read`, and
--- `limit` for a line or an event of more than 16 MiB.
---@return luge.http.Reader, nil, nil, luge.http.Reader
function class:events() end

--- The same, as `data, event` for each, without a table.
---@return luge.http.Reader, nil, nil, luge.http.Reader
function class:event_data() end

--- Closes a streamed response, and its connection if the body has not been
--- read to the end. May be called again, and on one that is not streamed.
function class:close() end

end

do
--- Case-insensitive: `headers["Content-Type"]` is the first of that name.
--- `pairs(headers)` gives all, with names in lower case.
---@class luge.http.Headers
local class = {}

--- repeated ones
---@param name string
---@return string[]
function class:all(name) end

end

do
--- Seconds since the start of the request; 0 for what was not needed.
---@class luge.http.Timings
---@field dns number the name was resolved
---@field connect number there was a connection
---@field tls number it was a secure one
---@field request number the request could be sent
---@field headers number the first byte of the answer came
---@field total number the answer was complete
local class = {}

end

do
--- Reads a streamed body piece by piece, and can be closed: what a Stream is,
--- with its operators too.
---@class luge.http.Reader: luge.Stream
local class = {}

end

do
--- A Server-Sent Event.
---@class luge.http.Event
---@field event string "message" if none is named
---@field data string
---@field id? string the last one seen
---@field retry? integer milliseconds, if this event set it
local class = {}

end

do
--- A request that a handler is called with.
---@class luge.http.ServerRequest
---@field method string in upper case
---@field path string percent-decoded, without the query
---@field target string the path and the query as they came
---@field query table<string, string> the first value of each name
---@field query_list string[][] every `{ name, value }`, in their order
---@field headers table<string, string> case-insensitive; `:all(name)` lists
---@field params table<string, string> of the route
local class = {}

--- Iterates over the body's pieces as they come. Waits. Raises `limit` beyond
--- the server's max_body, `timeout` when nothing comes for its idle_timeout.
---@return fun(): string? # iterator
function class:chunks() end

--- The whole body, or what `chunks` has left of it. Waits, and raises, as
--- `chunks`; called again after that, it goes on.
---@return string
function class:text() end

--- The body, decoded from JSON. Waits, and raises, as `chunks`; `parse` for what
--- is no JSON: if the handler lets it pass, the answer is 400.
---@return any
function class:json() end

--- The fields of a form that a page has posted, decoded. Waits, and raises, as
--- `chunks`; `parse` for a body that is none: if the handler lets it pass, the
--- answer is 400, or 415 for another Content-Type, such as a multipart form's.
---@return table<string, string>, string[][] # the first value of each name; every `{ name, value }`, in their order
function class:form() end

end

do
--- A server that listens; see `http.server`.
---@class luge.http.Server
---@field port integer 0 for a UNIX socket
---@field url string? of its root
local class = {}

--- Adds a route. In `path` a segment `:name` stands for any one segment and a
--- last segment `*name` for the rest; `req.params` has them, percent-decoded.
--- Literal paths win over others, then what was added first. GET answers HEAD.
---@param method string upper case; "*" for all
---@param path string begins with "/"
---@param handler fun(req: luge.http.ServerRequest): table|string
---@return luge.http.Server # self
function class:route(method, path, handler) end

--- Takes no more requests, waits until those that are being handled have been
--- answered, and the tasks that their handlers spawned have ended, for `grace`
--- seconds at most, and cancels the rest. A handler that calls it, or of which a
--- task does, goes on, and its answer is still sent.
---@param grace number? seconds; default 0
function class:close(grace) end

end

do
---@class luge.http.ServerOptions
---@field host? string an IPv4 or IPv6 address; default "127.0.0.1"
---@field port? integer default 0: any free one
---@field path? string of a UNIX socket, in place of host and port
---@field handler? fun(req: luge.http.ServerRequest): table|string for what no route takes
---@field on_error? fun(message: string) told of a handler that failed; default: the log
---@field max_body? integer bytes of a request's body; default 64 MiB
---@field max_head? integer bytes of a request's head; default 256 KiB
---@field max_connections? integer open at once; default 10000
---@field idle_timeout? number seconds for each wait for a client; default 60
local class = {}

end

do
--- A session; see `http.client`.
---@class luge.http.Client
local class = {}

---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function class:get(url, options) end

---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function class:head(url, options) end

---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function class:post(url, options) end

---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function class:put(url, options) end

---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function class:patch(url, options) end

---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function class:delete(url, options) end

--- Sends a request, as `http.request` does.
---@param options luge.http.Request
---@return luge.http.Response
function class:request(options) end

--- As `http.download`.
---@param url string
---@param path string
---@param options? luge.http.DownloadOptions
---@return luge.http.Downloaded
function class:download(url, path, options) end

--- As `http.events`.
---@param url string
---@param options? luge.http.EventsOptions
---@return luge.Stream, nil, nil, luge.Stream
function class:events(url, options) end

--- Closes the client and its connections: what is under way raises `closed`.
function class:close() end

end

---@class luge.http
local http = {}

--- Sends a request and returns the answer. Waits.
---@param options luge.http.Request
---@return luge.http.Response
function http.request(options) end

--- Sends a GET request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.get(url, options) end

--- Sends a HEAD request: the answer has no body. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.head(url, options) end

--- Sends a POST request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.post(url, options) end

--- Sends a PUT request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.put(url, options) end

--- Sends a PATCH request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.patch(url, options) end

--- Sends a DELETE request. Waits.
---@param url string
---@param options? luge.http.Options
---@return luge.http.Response
function http.delete(url, options) end

--- A session: a client with its own connections, cookies and defaults, and the
--- functions of the module as methods. Closed by `<close>`, by `close`, or
--- when it is collected. Does not wait.
---@param options? luge.http.ClientOptions
---@return luge.http.Client
function http.client(options) end

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
function http.download(url, path, options) end

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
function http.events(url, options) end

--- Starts an HTTP/1.1 server (RFC 9112). Every request is handled by a task of
--- its own, which is cancelled when the client leaves. The server belongs to the
--- task that called this, which does not end before it is closed.
---
--- A handler returns a string, or `{ status = 200, headers = {}, body = string |
--- json = value | stream = source | events = source }`, where a source is a
--- Stream, an iterator, or a function that is given one to call with each item;
--- of events see `luge.http`'s guide. If it raises, `on_error` is told, and the
--- client gets 500, or a broken connection if the answer had begun.
---
--- Raises `invalid` for options, `io` if it cannot listen, `limit` if there are
--- no descriptors left. Does not wait.
---@param options luge.http.ServerOptions
---@return luge.http.Server
function http.server(options) end

return http
