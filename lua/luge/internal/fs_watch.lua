-- `fs.watch`: a watch held by a servant, so that it is closed when the task
-- ends that asked for it.
local native = require "luge.native.fs"
local serve = require("luge.native.stream").serve
local event = require("luge.native.sync").event
local stream = require "luge.internal.stream"

local function hold(watch, done)
  local _ <close> = watch
  done:wait()
end

local function describe(path, kind, name)
  if not kind then
    return nil
  end
  return { kind = kind, name = name, path = name == "" and path or path .. "/" .. name }
end

-- For a watched file libuv gives the file's own name as that of the entry: then
-- the path is the file's.
return function(path)
  local watch = native.watch(path)
  local done = event()
  serve(hold, watch, done):name("watch of " .. path)
  local base = path:match "[^/]*$"
  return stream.open(function()
    local kind, name = watch:next()
    return describe(path, kind, name == base and "" or name)
  end, function()
    watch:close()
    done:set()
  end)
end
