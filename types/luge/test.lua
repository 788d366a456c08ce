---@meta luge.test
-- Made by scripts/reference from the annotations in lua/luge.

---@alias luge.test.Answer string|table|fun(request: table): any

do
---@class luge.test.Options
---@field timeout? number seconds of real time, its hooks included; default 5
---@field skip? boolean|string do not run it; why
---@field only? boolean run only those of the file that say so
local class = {}

end

do
---@class luge.test.Clock
local class = {}

--- Puts the real clock back. Timers keep what they have left.
function class:close() end

end

---@class luge.test
local test = {}

--- Declares a group of tests; `fn` runs at once and declares what is in it.
---@param name string
---@param fn fun()
function test.describe(name, fn) end

--- Declares a test. `fn` may wait.
---@param name string
---@param fn fun()
---@param options? luge.test.Options
function test.it(name, fn, options) end

--- Declares what runs once before the tests of the group. What it spawns lives
--- until the group's `after` functions have run, and must be ended by them.
---@param fn fun()
function test.before(fn) end

--- Declares what runs once after the tests of the group, the last declared
--- first, whatever came of them.
---@param fn fun()
function test.after(fn) end

--- Declares what runs before each test of the group and of those inside, in
--- the test's task, the outer groups' first.
---@param fn fun()
function test.before_each(fn) end

--- Declares what runs after each such test, in its task, shielded from its
--- cancellation, the inner groups' and the last declared first.
---@param fn fun()
function test.after_each(fn) end

--- Two values are the same one, as by `rawequal`: tables by identity.
---@generic T
---@param got T
---@param want any
---@param message? any put before the difference
---@return T # got
function test.equal(got, want, message) end

--- Two values are alike: tables have the same keys with values that are alike,
--- whatever their metatables; NaN is like NaN; others as by `rawequal`.
---@generic T
---@param got T
---@param want any
---@param message? any put before the differences
---@return T # got
function test.same(got, want, message) end

--- A value is neither nil nor false.
---@generic T
---@param value T
---@param message? any
---@return T # value
function test.ok(value, message) end

--- `fn(...)` raises a luge error of `kind`; any error if `kind` is nil. May
--- wait. Raises what it got if that is another error.
---@param kind? string
---@param fn function
---@param ... any
---@return any # err the error
function test.raises(kind, fn, ...) end

--- A text matches a Lua pattern.
---@param text string
---@param pattern string
---@param message? any
---@return string # ... its captures, or all that matched
function test.matches(text, pattern, message) end

--- Makes time virtual until it is closed: `luge.now()` stands still while tasks
--- run, and jumps to the next timer when none is ready and no outside operation
--- is pending. Timers that run already keep what they have left. Raises
--- `invalid` if another is in place.
---@return luge.test.Clock # clock to be closed: `local _ <close> = test.clock()`
function test.clock() end

--- Starts an HTTP server on a free port of 127.0.0.1, as `luge.http.server`
--- with this handler. It is closed when the test has ended, or the group whose
--- `before` started it. An error in the handler answers 500, and fails the test.
---@param handler fun(req: luge.http.ServerRequest): table|string
---@return luge.http.Server # server its `url` and `port` say where it is
function test.server(handler) end

--- Starts a model that gives these answers, in their order, over HTTP, in the
--- OpenAI format, streamed or not. An answer is a text; a message (`content`,
--- `tool_calls = { { name =, arguments = } }`, `reasoning`, `refusal`,
--- `finish_reason`, `usage`); for what goes wrong, an error of kind `llm`, or a
--- response as the handlers of `luge.http.server` return it, with its `status`; or
--- a function of the request that returns one of these. To be asked once too often
--- fails the test. It is closed with the test.
---@param answers luge.test.Answer[]
---@param options? table for `llm.model`: `max_retries = 0`, say
---@return table, table[] # model a Runnable; requests the bodies of the requests, decoded, as they come
function test.model(answers, options) end

return test
