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
