--- Composition: steps that are put together with `|` and then called, streamed
--- or run in batches. A step is a Runnable: a prompt, a model, a parser, or
--- what this module makes of functions and of other Runnables.
--
-- `a | b` is a Runnable if one of the two is; the other may be a function, or
-- a table of Runnables, which is a parallel step.

local batch = require "luge.internal.chain.batch"
local cache = require "luge.internal.chain.cache"
local config = require "luge.internal.chain.config"
local events = require "luge.internal.chain.events"
local flow = require "luge.internal.chain.flow"
local fn = require "luge.internal.chain.fn"
local generator = require "luge.internal.chain.generator"
local graph = require "luge.internal.chain.graph"
local parallel = require "luge.internal.chain.parallel"
local producer = require "luge.internal.chain.producer"
local runnable = require "luge.internal.chain.runnable"
require "luge.internal.chain.sequence"
local streams = require "luge.internal.chain.streams"
local with = require "luge.internal.chain.with"

---@class luge.chain
local chain = {}

--- A step that calls `f(input)`, which may wait. In a stream it waits for its
--- whole input. Options bound to it are handed on as a second argument.
---@type fun(f: fun(input: any, options?: table): any): luge.Runnable
chain.fn = fn.fn

--- A step that makes pieces of pieces: `f(input_stream, emit)` runs as a task
--- of its own; `emit(piece)` waits for the consumer. Called with `:invoke`, the
--- pieces are joined: strings are concatenated, values with `+` added up, of
--- others the last stays.
---@type fun(f: fun(input: luge.Stream, emit: fun(piece: any))): luge.Runnable
chain.generator = generator

--- The same input for several Runnables at once; the output is a table. The
--- first error cancels the others. Streams pieces `{ key = piece }`.
---@param branches table<string, any> Runnables, functions or tables, by name
---@return luge.Runnable
function chain.parallel(branches)
  return parallel.parallel(branches)
end

--- The input as it is.
---@type fun(): luge.Runnable
chain.pass = fn.pass

--- The first Runnable whose condition holds: `{ {condition, runnable}, ...,
--- default }`. A condition is a function of the input, or a Runnable.
---@type fun(choices: table): luge.Runnable
chain.branch = flow.branch

--- Whether a value is a Runnable.
---@type fun(value: any): boolean
chain.is_runnable = runnable.is

local method = runnable.method

---@class luge.chain.Config
---@field name? string what events call the run
---@field tags? string[] of the run and those below it
---@field metadata? table of the run and those below it
---@field timeout? number seconds; after them `timeout` is raised
---@field concurrency? integer how many inputs a batch has under way; default 16

--- Runs it; waits for the output, or raises the first error of a step.
---@param input any
---@param options? luge.chain.Config
---@return any output
local function invoke(self, input, options)
  return config.invoke_checked(self, input, options)
end
method("invoke", invoke)

--- Runs it piece by piece: `for piece in chain:stream(input) do`. Nothing is
--- done before the first piece is asked for; leaving the loop closes what the
--- steps hold, a connection for instance. An error is raised where it occurs
--- in the stream.
---@param input any
---@param options? luge.chain.Config
---@return luge.Stream
local function stream(self, input, options)
  options = config.check("stream", options)
  return streams.open(producer.lazily(function()
    return config.open(self, input, options)
  end))
end
method("stream", stream)

--- Puts it behind a Stream, or an iterator, of pieces of its input.
---@param input luge.Stream|fun(): any
---@param options? luge.chain.Config
---@return luge.Stream
local function transform(self, input, options)
  options = config.check("transform", options)
  local pull, close = streams.source("transform", input)
  return streams.open(producer.lazily(function()
    return config.transform(self, pull, close, options)
  end))
end
method("transform", transform)

---@class luge.chain.BatchOptions: luge.chain.Config
---@field return_errors? boolean an error is the output at its place; default: raised
---@field progress? boolean draw a progress bar if standard error is a terminal
---@field checkpoint? string a file that keeps outputs, so that a second run goes on

--- The outputs of many inputs, each at the place of its input. `inputs` is a
--- list, an iterator or a Stream, of which no more is read than is under way.
--- Every input goes through all steps on its own. The first error cancels the
--- rest and is raised.
---@type fun(self: luge.Runnable, inputs: any, options?: luge.chain.BatchOptions): any[]
method("batch", batch.batch)

--- As `batch`, but `for index, output in chain:batch_as_completed(inputs) do`
--- gives each output when it is there. Leaving the loop cancels the rest.
method("batch_as_completed", batch.as_completed)

--- A Runnable from a list of inputs to the list of outputs.
method("map", batch.map)

--- Everything that happens in a run, as a Stream of
--- `{ event=, name=, run_id=, parent_ids=, tags=, metadata=, data= }`. Takes a
--- config with `include` and `exclude`, each `{ names=, kinds=, tags= }`. After
--- the events an error of the run is raised.
method("events", events)

--- Runs it again when it fails; options as of `luge.retry`. A stream is begun
--- again until its first piece.
method("retry", flow.retry)

--- Others that take over, one after the other, when it fails: until the first
--- piece of a stream is there. When all fail, the error of the last is raised;
--- its field `errors` has those before.
method("fallback", flow.fallback)

--- Bounds each run, in seconds.
method("timeout", flow.timeout)

--- Sets options beforehand: of a model, or a function's second argument.
method("bind", with.bind)

--- Gives it a name, tags, metadata, a default concurrency of its batches, and
--- functions that are told: on_start(input, info), on_end(output, info),
--- on_error(error, info).
method("with", with.with)

--- Keeps outputs by their input: in a table, or a store with `:get(key)` and
--- `:set(key, text)`. Inputs need a JSON form.
method("cache", cache.cache)

--- What it is made of: a value with `nodes`, `edges`, `:mermaid()` and
--- `:ascii()`.
method("graph", graph.of)

return chain
