-- luge.http: HTTP.
local http = {}

http.server = require "luge.internal.http_server"

return http
