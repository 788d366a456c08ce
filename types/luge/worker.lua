---@meta luge.worker
-- Made by scripts/reference from the annotations in lua/luge.

do
---@class luge.worker.Options
---@field size? integer threads at most; default: the number of cores
---@field memory_limit? integer bytes of each worker's Lua state; default: as the host's
---@field max_bytes? integer what a job is given, and what it returns; default 64 MiB
local class = {}

end

do
---@class luge.worker.MapOptions
---@field concurrency? integer items under way; default: two for each thread of the pool
---@field return_errors? boolean a failed place holds its error, and nothing is raised
---@field progress? boolean draws a progress bar on a terminal
local class = {}

end

do
--- What runs jobs: `size` threads, started when they are needed.
---@class luge.worker.Pool
---@field size integer threads at most
local class = {}

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
---@return any # ...
function class:run(fn, ...) end

--- Runs `fn(item, index)` for each item and returns the first results, in the
--- order of the list, `n` in `results.n`: `luge.map` on other cores. The list is
--- read lazily. The first error cancels the rest. Waits.
---@param list table|function|luge.Stream a list, an iterator or a Stream
---@param fn function|string as for `run`
---@param options? luge.worker.MapOptions
---@return table # results
function class:map(list, fn, options) end

--- Ends the pool: what runs is interrupted, and raises `closed` where it is
--- waited for. Does not wait for the threads; the host does, when it closes.
function class:close() end

end

---@class luge.worker
local worker = {}

--- A pool of its own: `local pool <close> = worker.pool { size = 4 }`. Does not
--- wait, and starts no thread yet.
---@param options? luge.worker.Options
---@return luge.worker.Pool
function worker.pool(options) end

--- Runs `fn(...)` in the pool that all of the program shares, which has as many
--- workers as there are cores: see `Pool:run`. Waits.
---@param fn function|string
---@param ... any
---@return any # ...
function worker.run(fn, ...) end

--- Runs `fn(item, index)` for each item of a list on other cores:
--- `worker.map(numbers, function(n) ... end)`; see `Pool:map`. Waits. With one
--- of the options of `worker.pool` it has a pool of its own, until it returns.
---@param list table|function|luge.Stream
---@param fn function|string
---@param options? luge.worker.MapOptions|luge.worker.Options
---@return table # results
function worker.map(list, fn, options) end

return worker
