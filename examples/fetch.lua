-- Fetches the URLs on standard input, one a line, eight at a time, and prints
-- what came of each as it comes:
--
--   cat urls.txt | luge examples/fetch.lua
local luge = require "luge"
local http = require "luge.http"

luge.map(luge.stdin:lines(), function(url)
  local ok, answer = pcall(http.get, url, { timeout = 10 })
  if ok then
    luge.stdout:write(url, "\t", answer.status, "\t", #answer.body, "\n")
  else
    luge.stdout:write(url, "\t", tostring(answer), "\n")
  end
end, { concurrency = 8 })

-- Given:
--   http://127.0.0.1:1/nobody-listens-there
--   gopher://example.com/
-- Prints:
--   gopher://example.com/	invalid: bad URL "gopher://example.com/": takes http or https
--   http://127.0.0.1:1/nobody-listens-there	network: ... connection refused ...
