-- Embeddings: texts to vectors, many in one request.

local http = require "luge.http"
local json = require "luge.json"
local check = require "luge.internal.chain.check"
local failure = require "luge.internal.llm.failure"
local model = require "luge.internal.llm.model"
local record = require "luge.internal.llm.record"
local runnable = require "luge.internal.chain.runnable"
local targets = require "luge.internal.llm.targets"
local tasks = require "luge.native.task"
local usage = require "luge.internal.llm.usage"

-- Texts in a request: below the limits of all providers.
local MOST = 512

-- How each format does it: the path, and how to read the vectors of an answer.
local formats = {}

formats.openai = { path = "/embeddings", read = function(answer)
  if type(answer.data) ~= "table" then return nil end
  local vectors = {}
  for i, item in ipairs(answer.data) do
    vectors[(math.tointeger(item.index) or i - 1) + 1] = item.embedding
  end
  local used = type(answer.usage) == "table" and tonumber(answer.usage.prompt_tokens)
  return vectors, { input_tokens = used or nil }
end }

-- Older servers give the one vector of a text without a list around it.
formats.ollama = { path = "/api/embed", read = function(answer)
  return answer.embeddings or { answer.embedding },
    { input_tokens = tonumber(answer.prompt_eval_count) }
end }

local Embed = {}

-- The vectors of an answer, which must be `count`, and its usage; or nil.
local function read_vectors(form, answer, count)
  local ok, vectors, used = pcall(form.read, answer)
  if not ok or type(vectors) ~= "table" or #vectors ~= count then return nil end
  for _, vector in ipairs(vectors) do
    if type(vector) ~= "table" or type(vector[1]) ~= "number" then return nil end
  end
  return vectors, used
end

-- Sends a request for so many vectors.
local function sender(form, count)
  return function(target, body, timeout)
    local url = targets.url(target.base, form.path)
    target = setmetatable({ shown_url = targets.shown_url(url) }, { __index = target })
    local response = http.post(url, {
      headers = target.headers, body = body, timeout = timeout,
    })
    if response.status ~= 200 then
      error(failure.of_status(target, response.status, response.headers, response.body))
    end
    local ok, answer = pcall(json.decode, response.body)
    if not ok or type(answer) ~= "table" then
      error(failure.protocol(target, "the answer is no JSON", response.body))
    end
    local vectors, used = read_vectors(form, answer, count)
    if not vectors then
      error(failure.of_object(target, answer, response.headers) or failure.protocol(target,
        "the answer has not a vector for each text", response.body))
    end
    return { vectors = vectors, usage = used }
  end
end

local function request(self, texts)
  local settings = self.model.settings
  local body = { model = settings.model, input = json.array(texts) }
  for name, value in pairs(settings.extra or {}) do body[name] = value end
  return model.send(self.model, targets.of(self.model), json.encode(body),
    sender(self.form, #texts))
end

-- As `request`, under the model's deadline.
local function bounded_request(self, texts)
  local deadline = self.model.settings.deadline
  if deadline then return tasks.timeout(deadline, request, self, texts) end
  return request(self, texts)
end

-- The vectors of as many texts, from `first` on, as one request takes.
local function vectors_of(self, texts, first)
  local some = table.move(texts, first, math.min(first + MOST - 1, #texts), 1, {})
  local context = tasks.context()
  local recorder = context and record.current(context)
  local answer
  if recorder then
    answer = recorder:whole(self.model, { embed = some }, function()
      return bounded_request(self, some)
    end)
  else
    answer = bounded_request(self, some)
  end
  if context then usage.note(context, answer.usage) end
  return answer.vectors
end

local function check_texts(texts)
  for i, text in ipairs(texts) do
    if type(text) ~= "string" then
      check.invalid("llm.embed: text %d is %s, takes a string", i, check.describe(text))
    end
  end
end

function Embed:_invoke(input)
  if type(input) == "string" then return vectors_of(self, { input }, 1)[1] end
  if type(input) ~= "table" then
    check.invalid("llm.embed: got %s, takes a string or a list of strings", check.describe(input))
  end
  check_texts(input)
  local vectors = {}
  for first = 1, #input, MOST do
    local part = vectors_of(self, input, first)
    table.move(part, 1, #part, #vectors + 1, vectors)
  end
  return vectors
end

--- What tells its vectors from those of other models.
function Embed:_identity()
  return self.model:_identity()
end

runnable.class("embed", "chain", Embed)

-- Options of answers, which vectors have not.
local REFUSED = { "temperature", "max_tokens", "stop", "seed", "tools", "tool_choice",
  "response_format", "end_mark" }

return function(name, options)
  local inner = model.model(name, options)
  for _, option in ipairs(REFUSED) do
    if inner.settings[option] ~= nil then
      check.invalid("llm.embed: takes no option '%s'", option)
    end
  end
  local form = formats[inner.format.name]
  if not form then
    check.invalid("llm.embed: %s has no embeddings; openai, ollama and demo have", inner.provider)
  end
  return runnable.new(Embed, { model = inner, form = form, _name = inner._name })
end
