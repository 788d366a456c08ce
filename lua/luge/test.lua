--- Tests: declared with `describe` and `it` in files named `*_test.lua`, and run
--- by `luge test`. There, `describe`, `it` and the hooks are globals too.
--
-- A test is a task with a time limit. It fails when it raises, when it leaves a
-- task of its own alive, an operation or socket open, a virtual clock in place,
-- or when an error that nobody awaited was reported meanwhile.
--
-- The assertions raise errors of the kind `assertion`, with the place of the
-- call; they work anywhere, and do not wait.

local compare = require "luge.internal.test_compare"
local suite = require "luge.internal.test_suite"
local native = require "luge.native.task"
local clock = require "luge.native.clock"

---@class luge.test
local test = {}

---@class luge.test.Options
---@field timeout? number seconds of real time, its hooks included; default 5
---@field skip? boolean|string do not run it; why
---@field only? boolean run only those of the file that say so

--- Declares a group of tests; `fn` runs at once and declares what is in it.
---@type fun(name: string, fn: fun())
test.describe = suite.describe

--- Declares a test. `fn` may wait.
---@type fun(name: string, fn: fun(), options?: luge.test.Options)
test.it = suite.it

--- Declares what runs once before the tests of the group. What it spawns lives
--- until the group's `after` functions have run, and must be ended by them.
---@type fun(fn: fun())
test.before = suite.before

--- Declares what runs once after the tests of the group, the last declared
--- first, whatever came of them.
---@type fun(fn: fun())
test.after = suite.after

--- Declares what runs before each test of the group and of those inside, in
--- the test's task, the outer groups' first.
---@type fun(fn: fun())
test.before_each = suite.before_each

--- Declares what runs after each such test, in its task, shielded from its
--- cancellation, the inner groups' and the last declared first.
---@type fun(fn: fun())
test.after_each = suite.after_each

local function here()
  for level = 3, 255 do
    local info = debug.getinfo(level, "Sl")
    if not info then
      break
    elseif info.currentline > 0 and not info.source:find("luge[./]test$")
      and not info.source:find("luge/test.lua$", 1) then
      return ("%s:%d: "):format(info.short_src, info.currentline)
    end
  end
  return ""
end

local function fail(text, message)
  if message ~= nil then
    text = tostring(message) .. ": " .. text
  end
  error(native.error { kind = "assertion", message = here() .. text })
end

--- Two values are the same one, as by `rawequal`: tables by identity.
---@generic T
---@param got T
---@param want any
---@param message? any put before the difference
---@return T got
function test.equal(got, want, message)
  if not rawequal(got, want) then
    fail(("got %s, want %s"):format(compare.show(got), compare.show(want)), message)
  end
  return got
end

--- Two values are alike: tables have the same keys with values that are alike,
--- whatever their metatables; NaN is like NaN; others as by `rawequal`.
---@generic T
---@param got T
---@param want any
---@param message? any put before the differences
---@return T got
function test.same(got, want, message)
  local differences = compare.differences(got, want)
  if differences then
    fail("values differ:\n  " .. differences, message)
  end
  return got
end

--- A value is neither nil nor false.
---@generic T
---@param value T
---@param message? any
---@return T value
function test.ok(value, message)
  if not value then
    fail("got " .. tostring(value), message)
  end
  return value
end

--- `fn(...)` raises a luge error of `kind`; any error if `kind` is nil. May
--- wait. Raises what it got if that is another error.
---@param kind? string
---@param fn function
---@param ... any
---@return any err the error
function test.raises(kind, fn, ...)
  if kind ~= nil and type(kind) ~= "string" then
    local message = "raises: argument 1 is a %s; takes the kind of an error, or nil"
    error(native.error { kind = "invalid", message = message:format(type(kind)) })
  end
  local ok, err = pcall(fn, ...)
  if ok then
    fail(kind and ("raised nothing, want an error of kind %q"):format(kind) or "raised nothing")
  elseif kind and not native.is_error(err, kind) then
    fail(("raised %s, want an error of kind %q"):format(compare.show(err), kind))
  end
  return err
end

--- A text matches a Lua pattern.
---@param text string
---@param pattern string
---@param message? any
---@return string ... its captures, or all that matched
function test.matches(text, pattern, message)
  if type(text) ~= "string" then
    fail(("got %s, want text that matches %q"):format(compare.show(text), pattern), message)
  end
  if not text:find(pattern) then
    fail(("got %s, want text that matches %q"):format(compare.show(text), pattern), message)
  end
  return text:match(pattern)
end

---@class luge.test.Clock
local Clock = {}
Clock.__index = Clock

--- Puts the real clock back. Timers keep what they have left.
function Clock:close()
  if self.open then
    self.open = false
    clock.remove()
  end
end

Clock.__close = Clock.close

--- Makes time virtual until it is closed: `luge.now()` stands still while tasks
--- run, and jumps to the next timer when none is ready and no outside operation
--- is pending. Timers that run already keep what they have left. Raises
--- `invalid` if another is in place.
---@return luge.test.Clock clock to be closed: `local _ <close> = test.clock()`
function test.clock()
  clock.install()
  return setmetatable({ open = true }, Clock)
end

--- Starts an HTTP server on a free port of 127.0.0.1, as `luge.http.server`
--- with this handler. It is closed when the test has ended, or the group whose
--- `before` started it. An error in the handler answers 500, and fails the test.
---@param handler fun(req: luge.http.ServerRequest): table|string
---@return luge.http.Server server its `url` and `port` say where it is
function test.server(handler)
  return require("luge.internal.test_server").server(handler)
end

---@alias luge.test.Answer string|table|fun(request: table): any

--- Starts a model that gives these answers, in their order, over HTTP, in the
--- OpenAI format, streamed or not. An answer is a text; a message (`content`,
--- `tool_calls = { { name =, arguments = } }`, `reasoning`, `refusal`,
--- `finish_reason`, `usage`); for what goes wrong, an error of kind `llm`, or a
--- response as the handlers of `luge.http.server` return it, with its `status`; or
--- a function of the request that returns one of these. To be asked once too often
--- fails the test. It is closed with the test.
---@param answers luge.test.Answer[]
---@param options? table for `llm.model`: `max_retries = 0`, say
---@return table model a Runnable
---@return table[] requests the bodies of the requests, decoded, as they come
function test.model(answers, options)
  return require("luge.internal.test_server").model(answers, options)
end

return test
