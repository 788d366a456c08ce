-- A crawler: breadth first from one page, eight requests at once, of them two to
-- a host and a hundred a second, each tried again a few times. The site that it
-- visits is in this script; with an argument it visits another, two links deep.
--
--   luge examples/crawler.lua [URL]
local luge = require "luge"
local http = require "luge.http"

local site <close> = http.server { handler = function(req)
  local number = tonumber(req.path:match "^/(%d+)$") or 1
  if number == 13 then return { status = 404 } end
  local links = {}
  for child = 2 * number, 2 * number + 1 do
    links[#links + 1] = ('<a href="/%d">%d</a>'):format(child, child)
  end
  return ("<title>page %d</title>%s"):format(number, table.concat(links))
end }

local client <close> = http.client {
  headers = { ["User-Agent"] = "luge-example" }, timeout = 10, max_body = 1 << 20,
}

-- What is kept of each host, made when it is first seen.
local hosts = setmetatable({}, { __index = function(all, name)
  all[name] = { places = luge.semaphore(2), rate = luge.limiter { rate = 100, burst = 5 } }
  return all[name]
end })

local function fetch(url)
  local host = hosts[url:match "^https?://([^/?#]+)"]
  local _ <close> = host.places:hold()
  host.rate:acquire()
  return client:get(url):raise_for_status()
end

-- The absolute addresses that a page links to, without what is behind a `#`.
local function links_of(response)
  local origin = response.url:match "^https?://[^/?#]+"
  local links = {}
  for href in response.body:gmatch 'href="([^"#]+)' do
    if href:match "^https?://" then
      links[#links + 1] = href
    elseif href:match "^/[^/]" then
      links[#links + 1] = origin .. href
    end
  end
  return links
end

local function crawl(start, depth)
  local queue, seen, titles, failed = luge.queue(), { [start] = true }, {}, {}

  local function visit(url, left)
    local ok, response = pcall(luge.retry, function() return fetch(url) end, { deadline = 30 })
    if not ok then
      failed[#failed + 1] = response
      return
    end
    titles[#titles + 1] = response.body:match "<title>(.-)</title>" or url
    for _, link in ipairs(left > 0 and links_of(response) or {}) do
      if not seen[link] then
        seen[link] = true
        queue:put { link, left - 1 }
      end
    end
  end

  queue:put { start, depth }
  luge.scope(function(scope)
    for _ = 1, 8 do
      scope:spawn(function()
        for item in queue:iter() do
          visit(item[1], item[2])
          queue:task_done()
        end
      end)
    end
    queue:join() -- until every page that was found has been visited
    queue:close()
  end)
  return titles, failed
end

local titles, failed = crawl(arg[1] or site.url .. "/1", arg[1] and 2 or 3)
print(("%d pages, %d failed"):format(#titles, #failed))
for _, err in ipairs(failed) do print(err) end
table.sort(titles)
print(table.concat(titles, ", "))

-- Prints:
--   14 pages, 1 failed
--   http: .../13 answered with status 404
--   page 1, page 10, page 11, page 12, page 14, page 15, page 2, page 3, ..., page 9
