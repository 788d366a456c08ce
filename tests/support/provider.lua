-- A provider for tests: luge's own server, which answers each request with the
-- next of a list of answers, the last one for good, and keeps the requests.
--
-- An answer is what a handler returns; or a list of strings, the data of the
-- events of a stream; or a function of the request that returns either.
local http = require "luge.http"
local json = require "luge.json"
local llm = require "luge.llm"

local provider = {}

local function respond(answer, request)
  if type(answer) == "function" then answer = answer(request) end
  if answer[1] == nil then return answer end
  return { events = function(emit)
    for _, data in ipairs(answer) do
      if type(data) == "function" then data() else emit(data) end
    end
  end }
end

--- A server; `url`, `requests` (their bodies, decoded), `headers`, `paths`.
function provider.new(answers)
  local self = { requests = {}, headers = {}, paths = {} }
  self.server = http.server { handler = function(req)
    local n = #self.requests + 1
    self.requests[n], self.headers[n], self.paths[n] = req:json(), req.headers, req.path
    return respond(answers[math.min(n, #answers)], self.requests[n])
  end, on_error = function() end }
  self.url = self.server.url
  return setmetatable(self, { __close = function() self.server:close() end })
end

--- A model of the OpenAI format that asks the server.
function provider.model(server, options)
  local all = { base_url = server.url .. "/v1", model = "mock" }
  for name, value in pairs(options or {}) do all[name] = value end
  return llm.model(all)
end

--- An event of a stream in the OpenAI format.
function provider.chunk(delta, reason, more)
  local chunk = { id = "c1", model = "mock-1", choices = { {
    index = 0, delta = delta, finish_reason = reason or json.null,
  } } }
  for name, value in pairs(more or {}) do chunk[name] = value end
  return json.encode(chunk)
end

--- A whole answer in the OpenAI format.
function provider.answer(content, reason, more)
  local message = { role = "assistant", content = content }
  for name, value in pairs(more or {}) do message[name] = value end
  return { json = {
    id = "a1", model = "mock-1",
    choices = { { index = 0, message = message, finish_reason = reason or "stop" } },
    usage = { prompt_tokens = 5, completion_tokens = 7, total_tokens = 12 },
  } }
end

return provider
