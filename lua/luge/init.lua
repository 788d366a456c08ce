--- Tasks, streams, and what they wait for.
--
-- Any function may wait: it suspends its task, and the others go on. A task
-- owns what it spawns and ends after it. Cancellation is a state: each wait of
-- a cancelled task raises `cancelled`, until it has ended. Where a function
-- below is said to wait, it also raises `cancelled` if its task has been, and
-- `invalid` where Lua cannot suspend.
--
-- All times are seconds, as numbers with fractions.

local tasks = require "luge.native.task"
local sync = require "luge.native.sync"
local condition = require "luge.native.condition"

---@class luge
local luge = {}

-- A function of a module of luge, which is loaded when it is first called. Then
-- it takes the place of what is returned here.
local function lazy(name, module, key, into)
  into = into or luge
  local fn
  local function load_and_call(...)
    if not fn then
      local loaded = require("luge." .. module)
      fn = key and loaded[key] or loaded
      if into[name] == load_and_call then
        into[name] = fn
      end
    end
    return fn(...)
  end
  return load_and_call
end

-- Errors.

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

--- The metatable of all errors.
---@type table
luge.Error = tasks.Error

--- Makes an error, to be raised by `error`. It is the table itself. Unless
--- `retryable` is given, it follows from the kind, of `http` from the `status`.
---@type fun(fields: { kind: string, message?: string, [string]: any }): luge.Error
luge.error = tasks.error

--- Whether `x` is an error of luge, of `kind` if one is given.
---@type fun(x: any, kind?: string): boolean
luge.is_error = tasks.is_error

-- Tasks.

--- A function that runs beside others. It is awaited, cancelled and looked at;
--- what it owns ends before it does.
---@class luge.Task
---@field await fun(self): ... all its results; raises its error. Waits
---@field cancel fun(self, reason?: any) cancels it; does not wait
---@field done fun(self): boolean whether it has ended
---@field status fun(self): "ready"|"running"|"waiting"|"done"|"failed"|"cancelled" where it is
---@field name fun(self, text?: string): string names it for messages, and says its name
---@field waiting_for fun(self): string? what it waits for, in words; nil if it does not
---@field traceback fun(self): string? where it is, or where it failed

--- Runs `fn(...)` as a new task, owned by the current one (or by the `scope`
--- or `timeout` it is in). It first runs on the next pass of the scheduler.
--- Does not wait.
---@type fun(fn: function, ...): luge.Task
luge.spawn = tasks.spawn

--- A function whose every call runs `fn` as a new task and returns the Task.
---@type fun(fn: function): fun(...): luge.Task
luge.async = tasks.async

--- As `spawn`, but owned by the host: it may outlive the current task, and is
--- cancelled when the main task has ended.
---@type fun(fn: function, ...): luge.Task
luge.detach = tasks.detach

--- Waits for a Task, a Future, or a value whose metatable has `__await`, a
--- function of the value that returns the results. Cancelling the task that
--- waits does not cancel the one it waits for.
---@type fun(awaitable: any): ... # all results; or raises the error
luge.await = tasks.await

--- Waits so many seconds, 0 or more; 0 lets the other tasks run.
---@type fun(seconds: number)
luge.sleep = tasks.sleep

--- The Task that runs.
---@type fun(): luge.Task
luge.current = tasks.current

--- All live tasks of the host, in no special order.
---@type fun(): luge.Task[]
luge.tasks = tasks.tasks

--- Seconds on a clock that only goes forward.
---@type fun(): number
luge.now = tasks.now

--- Seconds since 1970-01-01 00:00 UTC.
---@type fun(): number
luge.time = tasks.time

-- Several tasks.

--- Waits for all: the first result of each, in the order of the list, their
--- number in `n`. Functions are run as tasks. The first error cancels the
--- others, waits for their end, and is raised; errors that they end with are
--- dropped. With `return_errors` nothing is raised but the caller's own
--- cancellation, and a failed place holds its error. Leaving it by an error
--- cancels all that have not ended.
---@type fun(list: (luge.Task|function)[], options?: { return_errors?: boolean }): table
luge.gather = lazy("gather", "internal.gather", "gather")

--- Calls `fn(item, index)` for each item, in a task for each, at most
--- `concurrency` (16) at once: the first results, in the order of the items,
--- their number in `n`. `list` is a table, an iterator or a Stream; it is read
--- one item at a time, when one can start, and a Stream is closed at the end.
--- The first error cancels the rest and is raised; with `return_errors` it
--- takes the place of the result. `progress` draws a bar on standard error if
--- that is a terminal. Waits.
---@type fun(list: any, fn: fun(item: any, index: integer): any, options?: luge.MapOptions): table
luge.map = lazy("map", "internal.map")

--- Waits for the first to end: its index and its results; or raises its error.
--- The others are cancelled and waited for.
---@type fun(list: (luge.Task|function)[]): integer, ...
luge.race = lazy("race", "internal.gather", "race")

--- `for index, task in luge.as_completed(list) do`: the tasks in the order of
--- their ending; await each for its results or its error. Each step waits.
--- Leaving the loop cancels the rest, and waits for them.
---@type fun(list: (luge.Task|function)[]): fun(): integer?, luge.Task?
luge.as_completed = lazy("as_completed", "internal.gather", "as_completed")

-- Blocks.

--- Runs `fn(...)` here, under a deadline so many seconds from now. After it,
--- waits inside raise `cancelled` (`reason` is "deadline"), and so do those of
--- the tasks spawned inside; `timeout` itself raises `timeout` (`seconds`).
--- What `fn` returns in spite of it counts. Waits until all has ended.
---@type fun(seconds: number, fn: function, ...): ...
luge.timeout = tasks.timeout

--- A block of tasks; see `luge.scope`.
---@class luge.Scope
---@field spawn fun(self, fn: function, ...): luge.Task a task of the scope
---@field cancel fun(self, reason?: any) ends the block, without an error
---@field errors any[] its own error, and those of its tasks that nobody awaited, as they came

--- Runs `fn(scope)` here. The tasks spawned inside belong to the scope: their
--- first error cancels the rest and is raised. Waits until all have ended.
---@type fun(fn: fun(scope: luge.Scope): ...): ...
luge.scope = tasks.scope

--- Runs `fn(...)` here; cancellation from outside reaches neither it nor what
--- it spawns. The next wait after it raises. Waits until all has ended.
---@type fun(fn: function, ...): ...
luge.shield = tasks.shield

-- Values and signals between tasks.

--- A result that is set from outside, once, and may be awaited by many.
---@class luge.Future
---@field resolve fun(self, ...) its results; settled already is `invalid`
---@field reject fun(self, err: any) its error; settled already is `invalid`
---@field await fun(self): ... waits; the results, or raises the error
---@field done fun(self): boolean whether it is settled

--- A result that is still to come. An error that nobody awaits is reported.
---@type fun(): luge.Future
luge.future = tasks.future

--- Items from those who put to those who get, first in, first out.
---@class luge.Queue
---@field put fun(self, item: any) waits for room; `closed` if the queue is
---@field get fun(self): any waits for an item; `closed` if none will come
---@field try_put fun(self, item: any): boolean whether there was room
---@field try_get fun(self): boolean, any true and the item, or false
---@field task_done fun(self) an item that was got is done
---@field join fun(self) waits until every item is done
---@field close fun(self) nothing can be put any more; what is in it can be got
---@field len fun(self): integer how many items are in it
---@field iter fun(self): function, any for `for item in q:iter() do`; ends when closed

--- A queue of at most `capacity` items, first in, first out; without one it is
--- unbounded. nil cannot be an item (`invalid`).
---@type fun(capacity?: integer): luge.Queue
luge.queue = require("luge.native.queue").queue

--- Permits; see `luge.semaphore` and `luge.lock`.
---@class luge.Semaphore
---@field acquire fun(self) waits for a permit
---@field try_acquire fun(self): boolean takes one if there is one
---@field release fun(self) gives it back; one that is not held is `invalid`
---@field hold fun(self): table acquires, and releases when closed: `local _ <close> = sem:hold()`

--- `n` permits, which go to those who ask in their order.
---@type fun(n: integer): luge.Semaphore
luge.semaphore = sync.semaphore

--- A semaphore of one permit, that only the task that has it can release.
---@type fun(): luge.Semaphore
luge.lock = sync.lock

--- Something that many tasks wait for; see `luge.event`.
---@class luge.Event
---@field set fun(self) lets all go on who wait, or will
---@field clear fun(self) makes it unset again
---@field wait fun(self) waits until it is set
---@field is_set fun(self): boolean whether it is set

--- Something that has happened, or has not.
---@type fun(): luge.Event
luge.event = sync.event

--- See `luge.condition`.
---@class luge.Condition
---@field wait fun(self) waits until it is notified
---@field notify fun(self, n?: integer) lets the first `n` (1) that wait go on
---@field notify_all fun(self) lets all that wait go on

--- What tasks wait for until another says that something has changed. No lock
--- goes with it: tasks do not preempt each other.
---@type fun(): luge.Condition
luge.condition = condition.condition

--- See `luge.barrier`.
---@class luge.Barrier
---@field wait fun(self) waits until `n` tasks do; then all go on

--- A place where `n` tasks wait for each other, as often as they come. One that
--- is cancelled there does not count.
---@type fun(n: integer): luge.Barrier
luge.barrier = condition.barrier

--- A token bucket: `rate` tokens come in `per` seconds (1), and at most `burst`
--- (`rate`, at least 1) are kept; it starts full. `limiter:acquire(n?)` takes
--- `n` (1), and waits for them; first come, first served.
---@type fun(options: { rate: number, per?: number, burst?: number }): luge.Limiter
luge.limiter = lazy("limiter", "internal.limiter")

-- Trying again.

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
---@type fun(fn: function, options?: luge.RetryOptions): ...
luge.retry = lazy("retry", "internal.retry", "retry")

--- Waits between attempts: functions of the number of attempts so far, which
--- can be added: `luge.wait.fixed(1) + luge.wait.random(0, 0.5)`.
luge.wait = {}

--- Always so many seconds.
---@type fun(seconds: number): luge.Wait
luge.wait.fixed = lazy("fixed", "internal.backoff", "fixed", luge.wait)

--- `multiplier` (1) seconds at first, then `base` (2) times as many each time,
--- at least `min` and at most `max`. `jitter = "full"` picks any time between
--- `min` and that, `"equal"` one in its upper half.
---@type fun(options?: luge.ExponentialOptions): luge.Wait
luge.wait.exponential = lazy("exponential", "internal.backoff", "exponential", luge.wait)

--- Any time between the two.
---@type fun(least: number, most: number): luge.Wait
luge.wait.random = lazy("random", "internal.backoff", "random", luge.wait)

--- The first wait of the list at first, then the second; its last one repeats.
---@type fun(waits: (luge.Wait|number)[]): luge.Wait
luge.wait.chain = lazy("chain", "internal.backoff", "chain", luge.wait)

-- Streams.

--- An async generator: `fn(emit)` runs as a task, the producer, owned by the
--- current task and started by the first `:next()`. `emit(item)` hands an item
--- to whoever reads, and waits until the next one is asked for. An error of
--- the producer is raised in the reader. The stream is closed when the task
--- that made it ends, or the `shield` it was made in. nil cannot be emitted
--- (`invalid`). Does not wait.
---@type fun(fn: fun(emit: fun(item: any))): luge.Stream, nil, nil, luge.Stream
luge.stream = lazy("stream", "internal.stream", "stream")

--- A stream of the items of a list up to its first nil, or of an iterator with
--- what goes with it (`luge.from(io.lines(path))`): its first values. A Stream
--- is returned as it is. Does not wait.
---@type fun(list: any, state?: any, control?: any, closer?: any): luge.Stream, ...
luge.from = lazy("from", "internal.stream", "from")

--- A stream of the items of several, as they come. Each is read by a task, one
--- item ahead. Closing it closes them. The list holds streams, lists and
--- iterators, up to its first nil.
---@type fun(list: any[]): luge.Stream, nil, nil, luge.Stream
luge.merge = lazy("merge", "internal.join", "merge")

--- A stream that yields one value of each: `for a, b in luge.zip{ s, t } do`.
--- It ends, and closes them all, with the first that ends. Functions given to
--- its operators get the values as arguments; where items are kept
--- (`:collect`, `:chunk`) they are lists.
---@type fun(list: any[]): luge.Stream, nil, nil, luge.Stream
luge.zip = lazy("zip", "internal.join", "zip")

-- Signals of the process.

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
---@type function
luge.signal = lazy("signal", "internal.signal")

-- Context.

--- Values that a task inherits from the one that spawned it.
luge.context = {}

--- The value of `key` for the current task: as the innermost `with` around it
--- set it, or as the task inherited it; or nil.
---@type fun(key: any): any
luge.context.get = lazy("get", "internal.context", "get", luge.context)

--- Runs `fn(...)` here with the values of a table set on top of those that
--- hold, for it and what it spawns; returns what `fn` returns. Waits if `fn`
--- does.
---@type fun(values: table, fn: function, ...): ...
luge.context.with = lazy("with", "internal.context", "with", luge.context)

-- The standard streams, which are loaded when they are first used.

---@class luge
---@field stdin luge.Stdin standard input, for tasks that wait for it
---@field stdout luge.Output standard output; a write waits for a slow reader
---@field stderr luge.Output standard error, the same

local standard_streams = { stdin = true, stdout = true, stderr = true }

return setmetatable(luge, {
  __index = function(_, name)
    if standard_streams[name] then
      luge[name] = require("luge.internal.stdio")[name]
      return rawget(luge, name)
    end
    return nil
  end,
})
