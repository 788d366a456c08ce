--- Work that keeps a processor busy, on other cores: each worker is a thread
--- with a Lua state, and a luge host, of its own. The loop goes on meanwhile.
--
-- What a worker runs is the name of a function, "module" or "module:field",
-- which it requires itself; or a function without upvalues but `_ENV`, which
-- are its own globals, and itself. Nothing is shared: arguments, results and
-- errors are copied. A value is nil, a boolean, a number, a string, json.null,
-- a luge error, or a table of these without a metatable (but for those of
-- json.array and json.object); shared tables and cycles stay what they are.
--
-- The globals and modules of a worker stay from one job to the next.

local native = require "luge.native.worker"
local check = require "luge.internal.check"
local map = require "luge.internal.map"

---@class luge.worker
local worker = {}

local MAX_BYTES <const> = 64 << 20

---@class luge.worker.Options
---@field size? integer threads at most; default: the number of cores
---@field memory_limit? integer bytes of each worker's Lua state; default: as the host's
---@field max_bytes? integer what a job is given, and what it returns; default 64 MiB

---@class luge.worker.MapOptions
---@field concurrency? integer items under way; default: two for each thread of the pool
---@field return_errors? boolean a failed place holds its error, and nothing is raised
---@field progress? boolean draws a progress bar on a terminal

local options_known = { size = "count", memory_limit = "count", max_bytes = "count" }

local map_known = { concurrency = "count", return_errors = "boolean", progress = "boolean" }

--- What runs jobs: `size` threads, started when they are needed.
---@class luge.worker.Pool
---@field size integer threads at most
local Pool = { __name = "Pool" }
Pool.__index = Pool

local is_name = {
  "^[%w_%-%./]+$",
  "^[%w_%-%./]+:[%a_][%w_]*$",
}

-- What a worker is told to run.
local function code_of(name, position, fn)
  if type(fn) == "function" then
    return native.dump(fn)
  elseif type(fn) == "string" and (fn:find(is_name[1]) or fn:find(is_name[2])) then
    return fn
  end
  return check.bad_argument(name, position, fn,
    "a function, or the name of one: \"module\" or \"module:field\"")
end

--- Runs `fn(...)` in a worker and returns its results. Waits, for a worker
--- first if all are busy: first come, first served.
---
--- Raises what the function raised, with its traceback; `invalid` for what
--- cannot be copied, naming it; `limit` for more than `max_bytes`, for a worker
--- whose memory is full (`what = "memory"`: its state is thrown away), and if no
--- thread can be started (`what = "threads"`); `closed` if the pool was closed.
--- When the waiting task is cancelled, what runs is interrupted.
---@param fn function|string a function, "module" or "module:field"
---@param ... any copied
---@return any ...
function Pool:run(fn, ...)
  check.own(self, Pool, "pool", "run")
  return self.native:run(code_of("run", 1, fn), ...)
end

--- Runs `fn(item, index)` for each item and returns the first results, in the
--- order of the list, `n` in `results.n`: `luge.map` on other cores. The list is
--- read lazily. The first error cancels the rest. Waits.
---@param list table|function|luge.Stream a list, an iterator or a Stream
---@param fn function|string as for `run`
---@param options? luge.worker.MapOptions
---@return table results
function Pool:map(list, fn, options)
  check.own(self, Pool, "pool", "map")
  local code = code_of("map", 2, fn)
  options = check.options("map", options, map_known)
  local pool = self.native
  return map(list, function(item, index)
    return (pool:run(code, item, index))
  end, {
    concurrency = options.concurrency or 2 * self.size,
    return_errors = options.return_errors,
    progress = options.progress,
  })
end

--- Ends the pool: what runs is interrupted, and raises `closed` where it is
--- waited for. Does not wait for the threads; the host does, when it closes.
function Pool:close()
  self.native:close()
end

Pool.__close = Pool.close

function Pool:__tostring()
  return ("Pool: %d workers"):format(self.size)
end

--- A pool of its own: `local pool <close> = worker.pool { size = 4 }`. Does not
--- wait, and starts no thread yet.
---@param options? luge.worker.Options
---@return luge.worker.Pool
function worker.pool(options)
  options = check.options("pool", options, options_known)
  local size = options.size or native.cores()
  if size > 1024 then
    check.fail("bad option 'size' for 'pool': got %d, takes an integer from 1 to 1024", size)
  end
  local limit = options.memory_limit or native.memory_limit()
  return setmetatable({
    native = native.pool(size, limit, options.max_bytes or MAX_BYTES),
    size = size,
  }, Pool)
end

local shared

local function shared_pool()
  shared = shared or worker.pool()
  return shared
end

--- Runs `fn(...)` in the pool that all of the program shares, which has as many
--- workers as there are cores: see `Pool:run`. Waits.
---@param fn function|string
---@param ... any
---@return any ...
function worker.run(fn, ...)
  return shared_pool():run(fn, ...)
end

--- Runs `fn(item, index)` for each item of a list on other cores:
--- `worker.map(numbers, function(n) ... end)`; see `Pool:map`. Waits. With one
--- of the options of `worker.pool` it has a pool of its own, until it returns.
---@param list table|function|luge.Stream
---@param fn function|string
---@param options? luge.worker.MapOptions|luge.worker.Options
---@return table results
function worker.map(list, fn, options)
  local ours, theirs = {}, nil
  for name, value in next, options or ours do
    if options_known[name] then
      theirs = theirs or {}
      theirs[name] = value
    else
      ours[name] = value
    end
  end
  if not theirs then
    return shared_pool():map(list, fn, ours)
  end
  local pool <close> = worker.pool(theirs)
  return pool:map(list, fn, ours)
end

return worker
