--- Composition: steps that are put together with `|` and then called, streamed
--- or run in batches. A step is a Runnable: a prompt, a model, a parser, or
--- what this module makes of functions and of other Runnables.
--
-- `a | b` is a Runnable if one of the two is; the other may be a function, or
-- a table of Runnables, which is a parallel step.

local batch = require "luge.internal.chain.batch"
local config = require "luge.internal.chain.config"
local fn = require "luge.internal.chain.fn"
local parallel = require "luge.internal.chain.parallel"
local producer = require "luge.internal.chain.producer"
local runnable = require "luge.internal.chain.runnable"
require "luge.internal.chain.sequence"
local streams = require "luge.internal.chain.streams"

-- A function of a module that is loaded when it is first called.
local function lazy(module, key)
  local call
  return function(...)
    if not call then
      local loaded = require("luge.internal.chain." .. module)
      call = key and loaded[key] or loaded
    end
    return call(...)
  end
end

---@class luge.chain
local chain = {}

--- A step that calls `f(input)`, which may wait. In a stream it waits for its
--- whole input. Options bound to it are handed on as a second argument. A Runnable
--- that it returns goes on with the input.
---@type fun(f: fun(input: any, options?: table): any): luge.Runnable
chain.fn = fn.fn

--- A step that makes pieces of pieces: `f(input_stream, emit)` runs as a task
--- of its own; `emit(piece)` waits for the consumer. Called with `:invoke`, the
--- pieces are joined: strings are concatenated, values with `+` added up, of
--- others the last stays.
---@type fun(f: fun(input: luge.Stream, emit: fun(piece: any))): luge.Runnable
chain.generator = lazy "generator"

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
chain.branch = lazy "branch"

--- Whether a value is a Runnable.
---@type fun(value: any): boolean
chain.is_runnable = runnable.is

--- What `:invoke` and `:stream` take as a second argument.
---@class luge.chain.Config
---@field name? string what events call the run
---@field tags? string[] of the run and those below it
---@field metadata? table of the run and those below it
---@field timeout? number seconds; after them `timeout` is raised
---@field concurrency? integer inputs under way at once: a batch's, or of those inside; default 16

--- Options of the batches.
---@class luge.chain.BatchOptions: luge.chain.Config
---@field return_errors? boolean an error is the output at its place; default: raised
---@field progress? boolean draw a progress bar if standard error is a terminal
---@field checkpoint? string a file that keeps outputs, so that a second run goes on

---@class luge.chain.Filter
---@field names? string[]
---@field kinds? string[] `chain`, `prompt`, `chat_model`, `parser`, `tool`, `agent`
---@field tags? string[]

---@class luge.chain.EventOptions: luge.chain.Config
---@field include? luge.chain.Filter only events with one of these
---@field exclude? luge.chain.Filter no events with one of these

--- What `:events` yields.
---@class luge.chain.Event
---@field event string `on_chain_start`, `on_chat_model_stream`, `on_tool_end`, ...
---@field name string
---@field run_id string
---@field parent_ids string[] the outermost first
---@field tags string[]
---@field metadata table
---@field data { input?: any, chunk?: any, output?: any, error?: any }

--- Options of `:with`.
---@class luge.chain.With
---@field name? string
---@field tags? string[]
---@field metadata? table
---@field concurrency? integer the default of its batches
---@field on_start? fun(input: any, info: table)
---@field on_end? fun(output: any, info: table)
---@field on_error? fun(err: any, info: table) also for a cancellation

--- What `:graph` gives: data, and drawings of them.
---@class luge.chain.Graph
---@field nodes { id: integer, label: string }[]
---@field edges { from: integer, to: integer, label?: string }[]
---@field mermaid fun(self): string
---@field ascii fun(self): string

--- A step, or several: called, streamed, run in batches, and composed with `|`.
---@class luge.Runnable
---@operator bor(any): luge.Runnable
local Runnable = {}

--- Runs it; waits for the output, or raises the first error of a step.
---@param input any
---@param options? luge.chain.Config
---@return any output
function Runnable:invoke(input, options)
  return config.invoke_checked(self, input, options)
end

--- Runs it piece by piece: `for piece in chain:stream(input) do`. Nothing is
--- done before the first piece is asked for; leaving the loop closes what the
--- steps hold, a connection for instance. An error is raised where it occurs
--- in the stream.
---@param input any
---@param options? luge.chain.Config
---@return luge.Stream, nil, nil, luge.Stream
function Runnable:stream(input, options)
  options = config.check("stream", options)
  return streams.open(producer.lazily(function()
    return config.open(self, input, options)
  end))
end

--- Puts it behind a Stream, an iterator or a list of pieces of its input.
---@param input luge.Stream|table|fun(): any
---@param options? luge.chain.Config
---@return luge.Stream, nil, nil, luge.Stream
function Runnable:transform(input, options)
  options = config.check("transform", options)
  local pull, close = streams.source("transform", input)
  return streams.open(producer.lazily(function()
    return config.transform(self, pull, close, options)
  end, close))
end

--- The outputs of many inputs, each at the place of its input, and their number
--- in `n`. `inputs` is a list, an iterator or a Stream, of which no more is read
--- than is under way. Every input goes through all steps on its own. The first
--- error cancels the rest and is raised. Waits.
---@type fun(self: luge.Runnable, inputs: any, options?: luge.chain.BatchOptions): table
Runnable.batch = batch.batch

--- As `batch`, but `for index, output in chain:batch_as_completed(inputs) do`
--- gives each output when it is there. Leaving the loop cancels the rest.
---@type fun(self: luge.Runnable, inputs: any, options?: luge.chain.BatchOptions): luge.Stream
Runnable.batch_as_completed = batch.as_completed

--- A Runnable from a list of inputs to the list of outputs.
---@type fun(self: luge.Runnable): luge.Runnable
Runnable.map = batch.map

--- Everything that happens in a run, as a Stream. After the events an error of
--- the run is raised.
---@type fun(self: luge.Runnable, input: any, options?: luge.chain.EventOptions): luge.Stream
Runnable.events = lazy "events"

--- The input, a table, with the outputs of these Runnables added.
---@type fun(self: luge.Runnable, branches: table): luge.Runnable
Runnable.assign = parallel.assign

--- One field of the output; of several, a table.
---@type fun(self: luge.Runnable, ...: string|number): luge.Runnable
Runnable.pick = fn.pick

--- Runs it again when it fails; options as of `luge.retry`. A stream is begun
--- again until its first piece.
---@type fun(self: luge.Runnable, options?: table): luge.Runnable
Runnable.retry = lazy "retry"

--- Others that take over, one after the other, when it fails: until the first
--- piece of a stream is there. When all fail, the error of the last is raised;
--- its field `errors` has those before.
---@type fun(self: luge.Runnable, others: table): luge.Runnable
Runnable.fallback = lazy "fallback"

--- Bounds each run, in seconds; a stream from its first piece to its last.
---@type fun(self: luge.Runnable, seconds: number): luge.Runnable
Runnable.timeout = lazy "timeout"

--- Sets options beforehand: of a model, or a function's second argument.
---@type fun(self: luge.Runnable, options: table): luge.Runnable
Runnable.bind = lazy("with", "bind")

--- Gives it a name, tags, metadata, a default concurrency of its batches, and
--- functions that are told of each run.
---@type fun(self: luge.Runnable, options: luge.chain.With): luge.Runnable
Runnable.with = lazy("with", "with")

--- Keeps outputs by their input: in a table, or a store with `:get(key)` and
--- `:set(key, text)`. Inputs need a JSON form.
---@type fun(self: luge.Runnable, store?: any): luge.Runnable
Runnable.cache = lazy("cache", "cache")

--- What it is made of, to be drawn.
---@type fun(self: luge.Runnable): luge.chain.Graph
Runnable.graph = lazy("graph", "of")

for name, method in pairs(Runnable) do runnable.method(name, method) end

return chain
