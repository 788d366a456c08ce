---@meta luge.llm
-- Made by scripts/reference from the annotations in lua/luge.

do
--- Options of `llm.model`, and of `:bind` for models. One that the format of the
--- provider has no form for is `invalid`.
---@class luge.llm.ModelOptions
---@field model? string the provider's name of the model
---@field provider? string the format that `base_url` speaks; default "openai"
---@field base_url? string as the provider's own SDK takes it
---@field api_key? string default: the provider's environment variable
---@field headers? table<string, string> sent with each request
---@field temperature? number
---@field max_tokens? integer of the answer
---@field stop? string|string[] texts that end the answer
---@field seed? integer
---@field tools? table[] what the model may call: of llm.tool
---@field tool_choice? string "auto", "none", "required", or a tool's name
---@field response_format? table as in the OpenAI format
---@field timeout? number seconds for an attempt; of a stream, until it begins
---@field deadline? number seconds for all attempts, and for a whole stream
---@field max_retries? integer default 2; 0 inside an outer retry
---@field concurrency? integer how many calls at once
---@field rate? { requests_per_minute?: integer, tokens_per_minute?: integer }
---@field extra? table merged into the request's body
---@field end_mark? boolean false: streams of this server have no end mark
local class = {}

end

do
---@class luge.llm.ToolOptions
---@field name string up to 64 letters, digits, - and _
---@field description? string tells the model when to use it
---@field parameters? table a JSON Schema of an object; default: no parameters
---@field run fun(arguments: table): any its result is what the model is told
---@field timeout? number seconds for a run, then `timeout` is raised; default: none
local class = {}

end

do
--- Options of `llm.agent`.
---@class luge.llm.AgentOptions
---@field name? string for handoffs, and for agents that have it as a tool
---@field description? string tells other models when to use it
---@field model? string|luge.Runnable a model, or the name of one; default as of llm.model
---@field instructions? string the system's message
---@field tools? luge.Runnable[] tools, and agents with a name
---@field handoffs? luge.Runnable[] agents that may take the conversation over
---@field max_turns? integer calls of the model; default 10
---@field output? table a JSON Schema of the answer
---@field approve? fun(call: luge.llm.ToolCall): boolean, string? asked before each call runs
local class = {}

end

do
--- What a run of an agent gives.
---@class luge.llm.Result
---@field output any a text, or with `output` the table that was checked
---@field messages luge.llm.Message[] all of them; they may be the input of the next run
---@field usage luge.llm.Usage of all turns, and of the models that tools call
---@field turns integer calls of models
---@field agent luge.llm.Agent the one that answered, after handoffs; from a cache, its name
local class = {}

end

do
--- What `llm.agent` makes.
---@class luge.llm.Agent: luge.Runnable
local class = {}

--- Runs the agent: `{ output, messages, usage, turns, agent }`. Waits. Raises
--- what its model raises, and `limit` for more than `max_turns`.
---@param input any a string, a prompt's value, a Message, or `{ messages = {...} }`
---@param options? luge.chain.Config
---@return luge.llm.Result
function class:run(input, options) end

end

do
--- What was said before; see `llm.history`.
---@class luge.llm.History
local class = {}

--- The messages, oldest first, at most `limit`. Waits if its store does.
---@return luge.llm.Message[]
function class:messages() end

--- Adds a message, as a prompt takes it. Waits if its store does.
---@param item any
function class:add(item) end

--- Forgets all.
function class:clear() end

end

do
---@class luge.llm.Usage
---@field input_tokens? integer
---@field output_tokens? integer
---@field total_tokens? integer
---@field cached_tokens? integer from the provider's cache: part of the input, unless Anthropic's
---@field cache_creation_tokens? integer written to Anthropic's cache, beside the input
---@field reasoning_tokens? integer of the output
---@field requests? integer of `llm.usage`: how many answers that were
local class = {}

end

do
--- What a model says, or is told. `tostring` gives its text; deltas of a stream add
--- up with `+`.
---@class luge.llm.Message
---@field role string `system`, `user`, `assistant` or `tool`
---@field content string|table[] text, or a list of parts
---@field reasoning? string
---@field refusal? string
---@field tool_calls? luge.llm.ToolCall[]
---@field usage? luge.llm.Usage
---@field finish_reason? string `stop`, `length`, `tool_calls`, `content_filter`, or another
---@field model? string
---@field id? string
---@field raw? table the answer as it came, unless it was streamed
local class = {}

end

do
--- What `llm.prompt` makes.
---@class luge.llm.Prompt: luge.Runnable
local class = {}

--- A copy with variables set beforehand; a function among the values is called
--- each time. A name that is no variable of the prompt is `invalid`.
---@param values table<string, any>
---@return luge.llm.Prompt
function class:partial(values) end

end

do
--- What `llm.tool` makes.
---@class luge.llm.Tool: luge.Runnable
local class = {}

--- Runs a tool call of a Message; the Message that tells the model what it gave.
--- Waits, and raises, as the tool does.
---@param call luge.llm.ToolCall
---@return luge.llm.Message
function class:answer(call) end

end

do
--- What a model asks for: a tool, by its name, with arguments.
---@class luge.llm.ToolCall
---@field id? string
---@field name string
---@field arguments? table nil if `arguments_text` is no JSON object: then `error` says why
---@field arguments_text string
---@field error? luge.Error
---@field index? integer of a delta: the call's place, from 1
local class = {}

end

---@class luge.llm
local llm = {}

--- A prompt: a template for the user's message, or a list of
--- `{ role, template }`, Messages and slots. `{name}` stands for a variable of
--- the input, `{{` and `}}` for braces. Called with a table of variables (or,
--- if it has only one, with its value) it gives what models take. A missing
--- variable is `invalid`, as is a template that cannot be read.
---
--- `:partial { name = value }` sets variables beforehand.
---@param source string|table
---@return luge.llm.Prompt
function llm.prompt(source) end

--- A place in a prompt for a list of messages: a variable of the input.
---@param name string
---@return table
function llm.slot(name) end

--- A model: "openai:gpt-4o-mini", "anthropic:claude-sonnet-4-5",
--- "ollama:llama3", "demo", or a table of options for a server that speaks the
--- OpenAI format: `llm.model { base_url =, model =, api_key = }`. Without a
--- name: LUGE_MODEL, or else the demo model, which is built in.
---
--- Input: a string, a prompt's value, or `{ messages = {...} }`. Output: a
--- Message; as a stream, Messages that add up to it with `+`.
---
--- Raises `invalid` for an unknown provider or option. A call raises `llm` with
--- a `code`, `network`, `timeout` or `truncated`; broken streams have the
--- Message so far in `partial`.
---@param name? string|luge.llm.ModelOptions
---@param settings? luge.llm.ModelOptions
---@return luge.Runnable
function llm.model(name, settings) end

--- The text of a message; streams pieces of it.
---@return luge.Runnable
function llm.text() end

--- A value from JSON, in a fenced block or not, checked against a JSON Schema
--- if there is one. What a model thought in `<think>` tags before it is passed
--- over. Streams the value as it grows: the same table every time,
--- so copy what is to stay. A text that is no JSON, or unfinished, is `parse`.
---@param schema? table|boolean
---@return luge.Runnable
function llm.json(schema) end

--- A list of strings: what is between commas, or lines, without bullets and
--- numbers. Streams lists of the items that have come whole.
---@return luge.Runnable
function llm.list() end

--- What the captures of a Lua pattern find: a table by `names`, or without
--- names the first. A text that does not match is `parse`.
---@param pattern string
---@param names? string[]
---@return luge.Runnable
function llm.match(pattern, names) end

--- A tool: a Runnable that checks its arguments and then runs. It takes a table
--- of arguments or a tool call of a Message; `:answer(call)` gives the Message
--- that tells the model. Raises `schema` or `parse` for arguments that do not
--- fit, and an error of `run` as `tool`, or as it is if it is luge's.
---@param options luge.llm.ToolOptions
---@return luge.llm.Tool
function llm.tool(options) end

--- An agent: a model that calls tools until it has an answer. `:run(input)`
--- gives `{ output, messages, usage, turns, agent }`; `:stream(input)` gives
--- `{ type = "text"|"reasoning"|"tool_call"|"tool_result"|"handoff"|"done", ... }`,
--- the last with all that `run` gives.
---
--- The calls of a turn run at the same time. A call to a tool that is not there,
--- whose arguments do not fit, that fails, or that `approve` refuses (it returns
--- no true, and perhaps a reason; it may wait) is not an error: the model is
--- told, as it is of results beyond 256 KiB. Raises `limit` when `max_turns` do
--- not do, and what the model raises.
---@param options luge.llm.AgentOptions
---@return luge.llm.Agent
function llm.agent(options) end

--- Texts to vectors: a string to a list of numbers, a list of strings to a list
--- of such. Names and options are as of `llm.model`, but for those of answers.
---@param name? string|table
---@param options? table
---@return luge.Runnable
function llm.embed(name, options) end

--- What was said before, in memory or in a store with `:get(key)` and
--- `:set(key, text)`: `{ store =, id =, limit = }`. `:messages()` lists it,
--- `:add(message)` adds to it; `chain:with_history(history)` fills the slot
--- "history" of the chain's prompt and adds what is said.
---@param options? { store?: any, id?: string, limit?: integer }
---@return luge.llm.History
function llm.history(options) end

--- Runs `fn(...)`, and returns what the models that it called, in whatever
--- task, used in all (`requests`, `input_tokens`, `output_tokens`, ...), then
--- its results. Streams that were left, or broke, count as far as is known.
---@param fn function
---@param ... any
---@return luge.llm.Usage, ...
function llm.usage(fn, ...) end

--- Runs `fn(...)`, and returns its results. On the first run the models'
--- answers are kept in the file; when it is there, they come from it, and no
--- model is asked, or needs a key. A question that is not in it is `invalid`; how
--- it is asked (time limits, retries, rates) makes no difference. Errors are not
--- kept.
---@param path string
---@param fn function
---@param ... any
---@return ...
function llm.record(path, fn, ...) end

return llm
