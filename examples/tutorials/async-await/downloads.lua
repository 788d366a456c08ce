-- Two downloads at the same time, one of them inside another function. The
-- function that waits for it is an ordinary one: nothing colours it.

local luge = require "luge"

local function download(name)
  print(name .. ": download begins")
  luge.sleep(0.1) -- in place of a server that takes its time
  print(name .. ": download is complete")
end

local function process()
  print "processing begins"
  download "first job"
  print "processing is complete"
end

luge.gather {
  process,
  function() download "second job" end,
}

-- Prints:
--   processing begins
--   first job: download begins
--   second job: download begins
--   first job: download is complete
--   processing is complete
--   second job: download is complete
