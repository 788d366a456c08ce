--- Language models: prompts, models of several providers, parsers, tools.
--- All of them are Runnables (see luge.chain), put together with `|`:
--
--   local explain = llm.prompt "Explain {topic}." | llm.model() | llm.text()
--   print(explain:invoke { topic = "tides" })

require "luge.chain"
local runnable = require "luge.internal.chain.runnable"
local model = require "luge.internal.llm.model"
local parsers = require "luge.internal.llm.parsers"
local prompt = require "luge.internal.llm.prompt"
local record = require "luge.internal.llm.record"
local tool = require "luge.internal.llm.tool"
local usage = require "luge.internal.llm.usage"

---@class luge.llm
local llm = {}

--- A prompt: a template for the user's message, or a list of
--- `{ role, template }`, Messages and slots. `{name}` stands for a variable of
--- the input, `{{` and `}}` for braces. Called with a table of variables (or,
--- if it has only one, with its value) it gives what models take. A missing
--- variable is `invalid`, as is a template that cannot be read.
---
--- `:partial { name = value }` sets variables beforehand.
---@type fun(source: string|table): luge.llm.Prompt
llm.prompt = prompt.prompt

--- A place in a prompt for a list of messages: a variable of the input.
---@type fun(name: string): table
llm.slot = prompt.slot

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
---@type fun(name?: string|luge.llm.ModelOptions, settings?: luge.llm.ModelOptions): luge.Runnable
llm.model = model.model

---@class luge.Runnable
--- Fills a slot ("history") of its prompt with what was said before, and adds
--- what the user and the model say: see `llm.history`.
---@field with_history fun(self, past: luge.llm.History, options?: { slot?: string }): luge.Runnable
--- Of a model: gives tables that fit a JSON Schema. An answer that is no JSON or
--- does not fit goes back to the model, `repairs` (2) times; then its `parse` or
--- `schema` error is raised.
---@field structured fun(self, schema: table, options?: { repairs?: integer }): luge.Runnable

runnable.method("with_history", function(...)
  return require("luge.internal.llm.history").with_history(...)
end)

runnable.method("structured", function(...)
  return require "luge.internal.llm.structured"(...)
end)

--- The text of a message; streams pieces of it.
---@type fun(): luge.Runnable
llm.text = parsers.text

--- A value from JSON, in a fenced block or not, checked against a JSON Schema
--- if there is one. What a model thought in `<think>` tags before it is passed
--- over. Streams the value as it grows: the same table every time,
--- so copy what is to stay. A text that is no JSON, or unfinished, is `parse`.
---@param schema? table|boolean
---@return luge.Runnable
function llm.json(schema)
  return require "luge.internal.llm.json_parser"(schema)
end

--- A list of strings: what is between commas, or lines, without bullets and
--- numbers. Streams lists of the items that have come whole.
---@type fun(): luge.Runnable
llm.list = parsers.list

--- What the captures of a Lua pattern find: a table by `names`, or without
--- names the first. A text that does not match is `parse`.
---@type fun(pattern: string, names?: string[]): luge.Runnable
llm.match = parsers.match

---@class luge.llm.ToolOptions
---@field name string up to 64 letters, digits, - and _
---@field description? string tells the model when to use it
---@field parameters? table a JSON Schema of an object; default: no parameters
---@field run fun(arguments: table): any its result is what the model is told
---@field timeout? number seconds for a run, then `timeout` is raised; default: none

--- A tool: a Runnable that checks its arguments and then runs. It takes a table
--- of arguments or a tool call of a Message; `:answer(call)` gives the Message
--- that tells the model. Raises `schema` or `parse` for arguments that do not
--- fit, and an error of `run` as `tool`, or as it is if it is luge's.
---@type fun(options: luge.llm.ToolOptions): luge.llm.Tool
llm.tool = tool.tool

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
function llm.agent(options)
  return require "luge.internal.llm.agent"(options)
end

--- Texts to vectors: a string to a list of numbers, a list of strings to a list
--- of such. Names and options are as of `llm.model`, but for those of answers.
---@param name? string|table
---@param options? table
---@return luge.Runnable
function llm.embed(name, options)
  return require "luge.internal.llm.embed"(name, options)
end

--- What was said before, in memory or in a store with `:get(key)` and
--- `:set(key, text)`: `{ store =, id =, limit = }`. `:messages()` lists it,
--- `:add(message)` adds to it; `chain:with_history(history)` fills the slot
--- "history" of the chain's prompt and adds what is said.
---@param options? { store?: any, id?: string, limit?: integer }
---@return luge.llm.History
function llm.history(options)
  return require("luge.internal.llm.history").history(options)
end

--- Runs `fn(...)`, and returns what the models that it called, in whatever
--- task, used in all (`requests`, `input_tokens`, `output_tokens`, ...), then
--- its results. Streams that were left, or broke, count as far as is known.
---@type fun(fn: function, ...): luge.llm.Usage, ...
llm.usage = usage.usage

--- Runs `fn(...)`, and returns its results. On the first run the models'
--- answers are kept in the file; when it is there, they come from it, and no
--- model is asked, or needs a key. A question that is not in it is `invalid`; how
--- it is asked (time limits, retries, rates) makes no difference. Errors are not
--- kept.
---@type fun(path: string, fn: function, ...): ...
llm.record = record.record

return llm
