---@meta luge
-- Made by scripts/reference from the annotations in lua/luge.

do
--- What luge raises: a table whose `tostring` is one readable line. The kinds are
--- cancelled, timeout, closed, deadlock, invalid, network, truncated, http, limit,
--- parse, permission, llm, schema, tool, process, io, store.
---@class luge.Error
---@field kind string what went wrong: "invalid", "timeout", "network", ...
---@field message string
---@field cause any the error behind it, or nil
---@field retryable boolean whether trying again may help
---@field traceback string? the stacks that it passed through
---@field [string] any the fields of its kind
local class = {}

end

do
--- A function that runs beside others. It is awaited, cancelled and looked at;
--- what it owns ends before it does.
---@class luge.Task
local class = {}

--- all its results; raises its error. Waits
---@return ...
function class:await() end

--- cancels it; does not wait
---@param reason? any
function class:cancel(reason) end

--- whether it has ended
---@return boolean
function class:done() end

--- where it is
---@return "ready"|"running"|"waiting"|"done"|"failed"|"cancelled"
function class:status() end

--- names it for messages, and says its name
---@param text? string
---@return string
function class:name(text) end

--- what it waits for, in words; nil if it does not
---@return string?
function class:waiting_for() end

--- where it is, or where it failed
---@return string?
function class:traceback() end

end

do
--- A block of tasks; see `luge.scope`.
---@class luge.Scope
---@field errors any[] its own error, and those of its tasks that nobody awaited, as they came
local class = {}

--- a task of the scope
---@param fn function
---@param ... any
---@return luge.Task
function class:spawn(fn, ...) end

--- ends the block, without an error
---@param reason? any
function class:cancel(reason) end

end

do
--- A result that is set from outside, once, and may be awaited by many.
---@class luge.Future
local class = {}

--- its results; settled already is `invalid`
---@param ... any
function class:resolve(...) end

--- its error; settled already is `invalid`
---@param err any
function class:reject(err) end

--- waits; the results, or raises the error
---@return ...
function class:await() end

--- whether it is settled
---@return boolean
function class:done() end

end

do
--- Items from those who put to those who get, first in, first out.
---@class luge.Queue
local class = {}

--- waits for room; `closed` if the queue is
---@param item any
function class:put(item) end

--- waits for an item; `closed` if none will come
---@return any
function class:get() end

--- whether there was room
---@param item any
---@return boolean
function class:try_put(item) end

--- true and the item, or false
---@return boolean, any
function class:try_get() end

--- an item that was got is done
function class:task_done() end

--- waits until every item is done
function class:join() end

--- nothing can be put any more; what is in it can be got
function class:close() end

--- how many items are in it
---@return integer
function class:len() end

--- for `for item in q:iter() do`; ends when closed
---@return function, any
function class:iter() end

end

do
--- Permits; see `luge.semaphore` and `luge.lock`.
---@class luge.Semaphore
local class = {}

--- waits for a permit
function class:acquire() end

--- takes one if there is one
---@return boolean
function class:try_acquire() end

--- gives it back; one that is not held is `invalid`
function class:release() end

--- acquires, and releases when closed: `local _ <close> = sem:hold()`
---@return table
function class:hold() end

end

do
--- Something that many tasks wait for; see `luge.event`.
---@class luge.Event
local class = {}

--- lets all go on who wait, or will
function class:set() end

--- makes it unset again
function class:clear() end

--- waits until it is set
function class:wait() end

--- whether it is set
---@return boolean
function class:is_set() end

end

do
--- See `luge.condition`.
---@class luge.Condition
local class = {}

--- waits until it is notified
function class:wait() end

--- lets the first `n` (1) that wait go on
---@param n? integer
function class:notify(n) end

--- lets all that wait go on
function class:notify_all() end

end

do
--- See `luge.barrier`.
---@class luge.Barrier
local class = {}

--- waits until `n` tasks do; then all go on
function class:wait() end

end

do
--- How long to wait before an attempt; see `luge.wait`.
---@class luge.Wait
---@operator call(integer): number
---@operator add(luge.Wait|number): luge.Wait
local class = {}

end

do
--- Options of `luge.wait.exponential`, in seconds.
---@class luge.ExponentialOptions
---@field multiplier? number the first wait; default 1
---@field base? number how many times as long each further one is; default 2
---@field min? number the least; default 0
---@field max? number the most; default none
---@field jitter? "full"|"equal" default: none
local class = {}

end

do
--- A token bucket; see `luge.limiter`.
---@class luge.Limiter
local class = {}

--- Takes `n` tokens (1): waits until there are as many, after those who asked
--- before. More than the burst is `invalid`.
---@param n? number above 0
function class:acquire(n) end

end

do
--- Options of `luge.map`.
---@class luge.MapOptions
---@field concurrency? integer how many at once; default 16
---@field return_errors? boolean an error takes the place of the result; default: it is raised
---@field progress? boolean draw a bar on standard error if that is a terminal
local class = {}

end

do
--- Values that come one after the other, when they are asked for:
--- `for v in s do`, `:next()`, `:collect()`.
---@class luge.Stream
local class = {}

--- A stream of `fn(item)`. With a `concurrency` above 1, that many items are
--- worked on at once, each in a task of its own, as soon as the first is
--- asked for; `ordered = false` gives each as soon as it is there. `fn` may
--- wait, and must not return nil (`invalid`).
---@param fn fun(item: any, ...: any): any
---@param options? { concurrency?: integer, ordered?: boolean } 1, true
---@return luge.Stream
function class:map(fn, options) end

--- A stream of the items for which `fn(item)` is true. `fn` may wait.
---@param fn fun(item: any, ...: any): any
---@return luge.Stream
function class:filter(fn) end

--- A stream of the first `n` items. When it ends, it closes the rest.
---@param n integer from 0
---@return luge.Stream
function class:take(n) end

--- A stream without the first `n` items.
---@param n integer from 0
---@return luge.Stream
function class:skip(n) end

--- A stream of lists of `n` items; the last may be shorter.
---@param n integer from 1
---@return luge.Stream
function class:chunk(n) end

--- The same items, read up to `n` ahead of whoever asks, by a task.
---@param n integer from 1
---@return luge.Stream
function class:buffer(n) end

--- `n` streams of the same items. They read from one source: the fastest may
--- be `buffer` items ahead of the slowest that is open, then it waits. Close
--- those that are not read.
---@param n integer from 1
---@param options? { buffer?: integer } default: 16
---@return luge.Stream # ...
function class:tee(n, options) end

--- The next item. Waits until there is one.
---
--- Raises what the producer raised, every time; and `closed`, if the task of
--- the stream was cancelled. If the wait is cancelled, or a function that an
--- operator applies raises, the next call goes on with the same item.
---@return any # nil at the end, and after `close`
function class:next() end

--- Ends the stream: the producer is cancelled, its `<close>` handlers run, and
--- are waited for, for five seconds at most. Whoever reads gets nil. Closing
--- it again does nothing.
---
--- Raises what a handler of the producer raises.
function class:close() end

--- For a `for` that closes the stream however it is left:
--- `for v in s:iter() do`.
---@return luge.Stream, nil, nil, luge.Stream
function class:iter() end

--- Reads the stream to its end, and closes it.
---@return any[] # the items; of `luge.zip`, lists
function class:collect() end

--- Calls `fn(item)` for each item, then closes the stream. Both may wait.
---@param fn fun(item: any, ...: any)
function class:each(fn) end

--- Folds the stream: `result = fn(result, item)` for each item, from `init`,
--- or from the first item if that is nil. Closes the stream. May wait.
---@param fn fun(result: any, item: any, ...: any): any
---@param init any
---@return any # `init` for an empty stream
function class:reduce(fn, init) end

end

do
--- Options of `luge.retry`, and of the `:retry` of Runnables.
---@class luge.RetryOptions
---@field attempts? integer in all; default 3
---@field wait? luge.Wait|number|fun(attempt: integer): number between two attempts
---@field deadline? number seconds for all attempts and waits; default none
---@field max_hint? number seconds that a server may make it wait; default 60
---@field on? string|string[]|fun(err: any): boolean which errors; default: retryable ones
---@field until_result? fun(...): boolean whether the results are good
---@field before_sleep? fun(info: luge.RetryInfo) called before each wait
local class = {}

end

do
--- What `before_sleep` of `luge.retry` is told.
---@class luge.RetryInfo
---@field attempt integer how many there have been
---@field error any of the last one; nil if its result was not good
---@field result any of the last one
---@field wait number the seconds that come now
---@field elapsed number the seconds since the first attempt began
local class = {}

end

do
--- Standard input, for tasks that wait: `luge.stdin`.
---@class luge.Stdin
local class = {}

--- Waits for `n` bytes and returns them; fewer at the end, then nil. Without
--- `n`, what comes next, as it comes. Several tasks read in their order.
---
--- Raises `io` (`errno`) when the descriptor cannot be read.
---@param n? integer bytes, from 0
---@return string?
function class:read(n) end

--- A stream of the lines, without their newlines. Nothing is read ahead of
--- what was asked for, and closing the stream leaves the rest to be read.
---
--- Its reader raises `limit` at a line of more than `max_line` bytes, which
--- stays to be read by other means, and `io` as `read` does.
---@param options? luge.StdinLinesOptions
---@return luge.Stream, nil, nil, luge.Stream
function class:lines(options) end

--- Waits for the end, and returns all that came; "" if nothing did.
---
--- Raises `limit` when more than `max` bytes come, which stay to be read by
--- other means, and `io` as `read` does.
---@param options? luge.StdinAllOptions
---@return string
function class:all(options) end

end

do
---@class luge.StdinLinesOptions
---@field max_line? integer bytes that a line may have; default 16 MiB
local class = {}

end

do
---@class luge.StdinAllOptions
---@field max? integer bytes that may come; default 64 MiB
local class = {}

end

do
--- Standard output or standard error: `luge.stdout`, `luge.stderr`.
---@class luge.Output
---@field stream integer the descriptor
local class = {}

--- Prints strings and numbers. Waits while a slow reader leaves no room: then
--- other tasks go on, where `print` would hold them up. What tasks write comes
--- in their order, each write in one piece.
---
--- Raises `closed` when the reader is gone, and `io` (`errno`) when the
--- descriptor cannot be written. A write that is cancelled may have printed a
--- part.
---@param ... string|number
---@return luge.Output # itself
function class:write(...) end

--- Waits until all that was printed has been taken by the system.
---
--- Raises as `write` does.
---@return luge.Output # itself
function class:flush() end

end

---@class luge
---@field Error table The metatable of all errors.
---@field stdin luge.Stdin standard input, for tasks that wait for it
---@field stdout luge.Output standard output; a write waits for a slow reader
---@field stderr luge.Output standard error, the same
local luge = {}

--- Waits between attempts: functions of the number of attempts so far, which
--- can be added: `luge.wait.fixed(1) + luge.wait.random(0, 0.5)`.
luge.wait = {}

--- Values that a task inherits from the one that spawned it.
luge.context = {}

--- Makes an error, to be raised by `error`. It is the table itself. Unless
--- `retryable` is given, it follows from the kind, of `http` from the `status`.
---@param fields { kind: string, message?: string, [string]: any }
---@return luge.Error
function luge.error(fields) end

--- Whether `x` is an error of luge, of `kind` if one is given.
---@param x any
---@param kind? string
---@return boolean
function luge.is_error(x, kind) end

--- Runs `fn(...)` as a new task, owned by the current one (or by the `scope`
--- or `timeout` it is in). It first runs on the next pass of the scheduler.
--- Does not wait.
---@param fn function
---@param ... any
---@return luge.Task
function luge.spawn(fn, ...) end

--- A function whose every call runs `fn` as a new task and returns the Task.
---@param fn function
---@return fun(...): luge.Task
function luge.async(fn) end

--- As `spawn`, but owned by the host: it may outlive the current task, and is
--- cancelled when the main task has ended.
---@param fn function
---@param ... any
---@return luge.Task
function luge.detach(fn, ...) end

--- Waits for a Task, a Future, or a value whose metatable has `__await`, a
--- function of the value that returns the results. Cancelling the task that
--- waits does not cancel the one it waits for.
---@param awaitable any
---@return ... # all results; or raises the error
function luge.await(awaitable) end

--- Waits so many seconds, 0 or more; 0 lets the other tasks run.
---@param seconds number
function luge.sleep(seconds) end

--- The Task that runs.
---@return luge.Task
function luge.current() end

--- All live tasks of the host, in no special order.
---@return luge.Task[]
function luge.tasks() end

--- Seconds on a clock that only goes forward.
---@return number
function luge.now() end

--- Seconds since 1970-01-01 00:00 UTC.
---@return number
function luge.time() end

--- Waits for all: the first result of each, in the order of the list, their
--- number in `n`. Functions are run as tasks. The first error cancels the
--- others, waits for their end, and is raised; errors that they end with are
--- dropped. With `return_errors` nothing is raised but the caller's own
--- cancellation, and a failed place holds its error. Leaving it by an error
--- cancels all that have not ended.
---@param list (luge.Task|function)[]
---@param options? { return_errors?: boolean }
---@return table
function luge.gather(list, options) end

--- Calls `fn(item, index)` for each item, in a task for each, at most
--- `concurrency` (16) at once: the first results, in the order of the items,
--- their number in `n`. `list` is a table, an iterator or a Stream; it is read
--- one item at a time, when one can start, and a Stream is closed at the end.
--- The first error cancels the rest and is raised; with `return_errors` it
--- takes the place of the result. `progress` draws a bar on standard error if
--- that is a terminal. Waits.
---@param list any
---@param fn fun(item: any, index: integer): any
---@param options? luge.MapOptions
---@return table
function luge.map(list, fn, options) end

--- Waits for the first to end: its index and its results; or raises its error.
--- The others are cancelled and waited for.
---@param list (luge.Task|function)[]
---@return integer, ...
function luge.race(list) end

--- `for index, task in luge.as_completed(list) do`: the tasks in the order of
--- their ending; await each for its results or its error. Each step waits.
--- Leaving the loop cancels the rest, and waits for them.
---@param list (luge.Task|function)[]
---@return fun(): integer?, luge.Task?
function luge.as_completed(list) end

--- Runs `fn(...)` here, under a deadline so many seconds from now. After it,
--- waits inside raise `cancelled` (`reason` is "deadline"), and so do those of
--- the tasks spawned inside; `timeout` itself raises `timeout` (`seconds`).
--- What `fn` returns in spite of it counts. Waits until all has ended.
---@param seconds number
---@param fn function
---@param ... any
---@return ...
function luge.timeout(seconds, fn, ...) end

--- Runs `fn(scope)` here. The tasks spawned inside belong to the scope: their
--- first error cancels the rest and is raised. Waits until all have ended.
---@param fn fun(scope: luge.Scope): ...
---@return ...
function luge.scope(fn) end

--- Runs `fn(...)` here; cancellation from outside reaches neither it nor what
--- it spawns. The next wait after it raises. Waits until all has ended.
---@param fn function
---@param ... any
---@return ...
function luge.shield(fn, ...) end

--- A result that is still to come. An error that nobody awaits is reported.
---@return luge.Future
function luge.future() end

--- A queue of at most `capacity` items, first in, first out; without one it is
--- unbounded. nil cannot be an item (`invalid`).
---@param capacity? integer
---@return luge.Queue
function luge.queue(capacity) end

--- `n` permits, which go to those who ask in their order.
---@param n integer
---@return luge.Semaphore
function luge.semaphore(n) end

--- A semaphore of one permit, that only the task that has it can release.
---@return luge.Semaphore
function luge.lock() end

--- Something that has happened, or has not.
---@return luge.Event
function luge.event() end

--- What tasks wait for until another says that something has changed. No lock
--- goes with it: tasks do not preempt each other.
---@return luge.Condition
function luge.condition() end

--- A place where `n` tasks wait for each other, as often as they come. One that
--- is cancelled there does not count.
---@param n integer
---@return luge.Barrier
function luge.barrier(n) end

--- A token bucket: `rate` tokens come in `per` seconds (1), and at most `burst`
--- (`rate`, at least 1) are kept; it starts full. `limiter:acquire(n?)` takes
--- `n` (1), and waits for them; first come, first served.
---@param options { rate: number, per?: number, burst?: number }
---@return luge.Limiter
function luge.limiter(options) end

--- Calls `fn()` until it succeeds; returns its results. Waits between the
--- attempts.
---
--- `attempts` (3; math.huge for no limit), `wait` (`luge.wait.exponential{
--- min=0.5, max=8, jitter="full" }`; also a number of seconds, or a function
--- of the attempts so far), `deadline` for all attempts and waits, in seconds
--- (none). `on` says which errors are tried again: a kind, a list of kinds, or
--- a function of the error; by default those with `retryable == true`.
--- `cancelled` is never tried again. `until_result(...)` says whether the
--- results are good. `before_sleep` gets `attempt`, `error` (or `result`),
--- `wait` and `elapsed`.
---
--- When a server has said how long to wait (`retry_after` of the error, or its
--- headers), that replaces the computed wait; beyond the deadline or `max_hint`
--- (60) seconds the error is raised at once, with `retry_after`.
---
--- Raises the last error, with `attempts`, when these have run out or the next
--- wait would pass the deadline; for results that were not good, `limit` with
--- `last`. Inside, retries of luge's own (of a model, say) are off.
---@param fn function
---@param options? luge.RetryOptions
---@return ...
function luge.retry(fn, options) end

--- Always so many seconds.
---@param seconds number
---@return luge.Wait
function luge.wait.fixed(seconds) end

--- `multiplier` (1) seconds at first, then `base` (2) times as many each time,
--- at least `min` and at most `max`. `jitter = "full"` picks any time between
--- `min` and that, `"equal"` one in its upper half.
---@param options? luge.ExponentialOptions
---@return luge.Wait
function luge.wait.exponential(options) end

--- Any time between the two.
---@param least number
---@param most number
---@return luge.Wait
function luge.wait.random(least, most) end

--- The first wait of the list at first, then the second; its last one repeats.
---@param waits (luge.Wait|number)[]
---@return luge.Wait
function luge.wait.chain(waits) end

--- An async generator: `fn(emit)` runs as a task, the producer, owned by the
--- current task and started by the first `:next()`. `emit(item)` hands an item
--- to whoever reads, and waits until the next one is asked for. An error of
--- the producer is raised in the reader. The stream is closed when the task
--- that made it ends, or the `shield` it was made in. nil cannot be emitted
--- (`invalid`). Does not wait.
---@param fn fun(emit: fun(item: any))
---@return luge.Stream, nil, nil, luge.Stream
function luge.stream(fn) end

--- A stream of the items of a list up to its first nil, or of an iterator with
--- what goes with it (`luge.from(io.lines(path))`): its first values. A Stream
--- is returned as it is. Does not wait.
---@param list any
---@param state? any
---@param control? any
---@param closer? any
---@return luge.Stream, ...
function luge.from(list, state, control, closer) end

--- A stream of the items of several, as they come. Each is read by a task, one
--- item ahead. Closing it closes them. The list holds streams, lists and
--- iterators, up to its first nil.
---@param list any[]
---@return luge.Stream, nil, nil, luge.Stream
function luge.merge(list) end

--- A stream that yields one value of each: `for a, b in luge.zip{ s, t } do`.
--- It ends, and closes them all, with the first that ends. Functions given to
--- its operators get the values as arguments; where items are kept
--- (`:collect`, `:chunk`) they are lists.
---@param list any[]
---@return luge.Stream, nil, nil, luge.Stream
function luge.zip(list) end

--- Signals, by a name such as "SIGTERM" or "USR1", from now on: a Stream that
--- yields the name for each that came; or, with `fn`, a task that runs
--- `fn(name)` in a task of its own for each, to be ended by `:cancel()`; an
--- error of `fn` is reported, and the signals that follow are handled. In
--- place of what the host does at that signal, until the stream is closed or
--- the task has ended, which is at the end of the current task. Does not wait.
---
--- Raises `permission` where the host does not allow it, as the command does.
---@overload fun(name: string): luge.Stream, nil, nil, luge.Stream
---@overload fun(name: string, fn: fun(name: string)): luge.Task
function luge.signal() end

--- The value of `key` for the current task: as the innermost `with` around it
--- set it, or as the task inherited it; or nil.
---@param key any
---@return any
function luge.context.get(key) end

--- Runs `fn(...)` here with the values of a table set on top of those that
--- hold, for it and what it spawns; returns what `fn` returns. Waits if `fn`
--- does.
---@param values table
---@param fn function
---@param ... any
---@return ...
function luge.context.with(values, fn, ...) end

return luge
