---@meta luge.chain
-- Made by scripts/reference from the annotations in lua/luge.

do
--- What `:invoke` and `:stream` take as a second argument.
---@class luge.chain.Config
---@field name? string what events call the run
---@field tags? string[] of the run and those below it
---@field metadata? table of the run and those below it
---@field timeout? number seconds; after them `timeout` is raised
---@field concurrency? integer inputs under way at once: a batch's, or of those inside; default 16
local class = {}

end

do
--- Options of the batches.
---@class luge.chain.BatchOptions: luge.chain.Config
---@field return_errors? boolean an error is the output at its place; default: raised
---@field progress? boolean draw a progress bar if standard error is a terminal
---@field checkpoint? string a file that keeps outputs, so that a second run goes on
local class = {}

end

do
---@class luge.chain.Filter
---@field names? string[]
---@field kinds? string[] `chain`, `prompt`, `chat_model`, `parser`, `tool`, `agent`
---@field tags? string[]
local class = {}

end

do
---@class luge.chain.EventOptions: luge.chain.Config
---@field include? luge.chain.Filter only events with one of these
---@field exclude? luge.chain.Filter no events with one of these
local class = {}

end

do
--- What `:events` yields.
---@class luge.chain.Event
---@field event string `on_chain_start`, `on_chat_model_stream`, `on_tool_end`, ...
---@field name string
---@field run_id string
---@field parent_ids string[] the outermost first
---@field tags string[]
---@field metadata table
---@field data { input?: any, chunk?: any, output?: any, error?: any }
local class = {}

end

do
--- Options of `:with`.
---@class luge.chain.With
---@field name? string
---@field tags? string[]
---@field metadata? table
---@field concurrency? integer the default of its batches
---@field on_start? fun(input: any, info: table)
---@field on_end? fun(output: any, info: table)
---@field on_error? fun(err: any, info: table) also for a cancellation
local class = {}

end

do
--- What `:graph` gives: data, and drawings of them.
---@class luge.chain.Graph
---@field nodes { id: integer, label: string }[]
---@field edges { from: integer, to: integer, label?: string }[]
local class = {}

---@return string
function class:mermaid() end

---@return string
function class:ascii() end

end

do
--- A step, or several: called, streamed, run in batches, and composed with `|`.
---@class luge.Runnable
---@operator bor(any): luge.Runnable
local class = {}

--- Runs it; waits for the output, or raises the first error of a step.
---@param input any
---@param options? luge.chain.Config
---@return any # output
function class:invoke(input, options) end

--- Runs it piece by piece: `for piece in chain:stream(input) do`. Nothing is
--- done before the first piece is asked for; leaving the loop closes what the
--- steps hold, a connection for instance. An error is raised where it occurs
--- in the stream.
---@param input any
---@param options? luge.chain.Config
---@return luge.Stream, nil, nil, luge.Stream
function class:stream(input, options) end

--- Puts it behind a Stream, an iterator or a list of pieces of its input.
---@param input luge.Stream|table|fun(): any
---@param options? luge.chain.Config
---@return luge.Stream, nil, nil, luge.Stream
function class:transform(input, options) end

--- The outputs of many inputs, each at the place of its input, and their number
--- in `n`. `inputs` is a list, an iterator or a Stream, of which no more is read
--- than is under way. Every input goes through all steps on its own. The first
--- error cancels the rest and is raised. Waits.
---@param inputs any
---@param options? luge.chain.BatchOptions
---@return table
function class:batch(inputs, options) end

--- As `batch`, but `for index, output in chain:batch_as_completed(inputs) do`
--- gives each output when it is there. Leaving the loop cancels the rest.
---@param inputs any
---@param options? luge.chain.BatchOptions
---@return luge.Stream
function class:batch_as_completed(inputs, options) end

--- A Runnable from a list of inputs to the list of outputs.
---@return luge.Runnable
function class:map() end

--- Everything that happens in a run, as a Stream. After the events an error of
--- the run is raised.
---@param input any
---@param options? luge.chain.EventOptions
---@return luge.Stream
function class:events(input, options) end

--- The input, a table, with the outputs of these Runnables added.
---@param branches table
---@return luge.Runnable
function class:assign(branches) end

--- One field of the output; of several, a table.
---@param ... string|number
---@return luge.Runnable
function class:pick(...) end

--- Runs it again when it fails; options as of `luge.retry`. A stream is begun
--- again until its first piece.
---@param options? table
---@return luge.Runnable
function class:retry(options) end

--- Others that take over, one after the other, when it fails: until the first
--- piece of a stream is there. When all fail, the error of the last is raised;
--- its field `errors` has those before.
---@param others table
---@return luge.Runnable
function class:fallback(others) end

--- Bounds each run, in seconds; a stream from its first piece to its last.
---@param seconds number
---@return luge.Runnable
function class:timeout(seconds) end

--- Sets options beforehand: of a model, or a function's second argument.
---@param options table
---@return luge.Runnable
function class:bind(options) end

--- Gives it a name, tags, metadata, a default concurrency of its batches, and
--- functions that are told of each run.
---@param options luge.chain.With
---@return luge.Runnable
function class:with(options) end

--- Keeps outputs by their input: in a table, or a store with `:get(key)` and
--- `:set(key, text)`. Inputs need a JSON form.
---@param store? any
---@return luge.Runnable
function class:cache(store) end

--- What it is made of, to be drawn.
---@return luge.chain.Graph
function class:graph() end

--- Fills a slot ("history") of its prompt with what was said before, and adds
--- what the user and the model say: see `llm.history`.
---@param past luge.llm.History
---@param options? { slot?: string }
---@return luge.Runnable
function class:with_history(past, options) end

--- Of a model: gives tables that fit a JSON Schema. An answer that is no JSON or
--- does not fit goes back to the model, `repairs` (2) times; then its `parse` or
--- `schema` error is raised.
---@param schema table
---@param options? { repairs?: integer }
---@return luge.Runnable
function class:structured(schema, options) end

end

---@class luge.chain
local chain = {}

--- A step that calls `f(input)`, which may wait. In a stream it waits for its
--- whole input. Options bound to it are handed on as a second argument. A Runnable
--- that it returns goes on with the input.
---@param f fun(input: any, options?: table): any
---@return luge.Runnable
function chain.fn(f) end

--- A step that makes pieces of pieces: `f(input_stream, emit)` runs as a task
--- of its own; `emit(piece)` waits for the consumer. Called with `:invoke`, the
--- pieces are joined: strings are concatenated, values with `+` added up, of
--- others the last stays.
---@param f fun(input: luge.Stream, emit: fun(piece: any))
---@return luge.Runnable
function chain.generator(f) end

--- The same input for several Runnables at once; the output is a table. The
--- first error cancels the others. Streams pieces `{ key = piece }`.
---@param branches table<string, any> Runnables, functions or tables, by name
---@return luge.Runnable
function chain.parallel(branches) end

--- The input as it is.
---@return luge.Runnable
function chain.pass() end

--- The first Runnable whose condition holds: `{ {condition, runnable}, ...,
--- default }`. A condition is a function of the input, or a Runnable.
---@param choices table
---@return luge.Runnable
function chain.branch(choices) end

--- Whether a value is a Runnable.
---@param value any
---@return boolean
function chain.is_runnable(value) end

return chain
