-- Many requests to a server, and what they leave behind.
local luge = require "luge"
local fs = require "luge.fs"
local http = require "luge.http"

local many = {}

-- Kilobytes of this process, on Linux.
function many.resident()
  local status = io.open "/proc/self/status"
  if not status then return 0 end
  local kilobytes = status:read("a"):match "VmRSS:%s+(%d+)"
  status:close()
  return tonumber(kilobytes)
end

local function descriptors()
  return fs.exists "/proc/self/fd" and #fs.list "/proc/self/fd" or 0
end

-- `count` requests, and how much memory and how many descriptors the second
-- half of them has taken.
function many.requests(url, count)
  local client <close> = http.client {}
  local function half()
    luge.map(luge.from(coroutine.wrap(function()
      for i = 1, count // 2 do coroutine.yield(i) end
    end)), function(i)
      if i % 1000 == 0 then
        client:get(url, { stream = true }):close()
      end
      assert(client:post(url, { body = "x" }).status == 200)
    end, { concurrency = 64 })
    collectgarbage()
    collectgarbage()
  end
  half()
  local memory, files = many.resident(), descriptors()
  half()
  return many.resident() - memory, descriptors() - files
end

return many
