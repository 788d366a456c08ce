-- What a provider says went wrong, as an error of kind `llm`.

local json = require "luge.json"
local tasks = require "luge.native.task"
local hint = require "luge.internal.hint"

local failure = {}

local SHOWN = 300 -- bytes of an answer in a message

local by_status = {
  [400] = "invalid_request", [401] = "auth", [402] = "quota", [403] = "auth",
  [404] = "invalid_request",
  [408] = "server", [409] = "server", [413] = "context_length", [422] = "invalid_request",
  [429] = "rate_limit", [503] = "overloaded", [529] = "overloaded",
}

-- What providers call it -> our code. Looked for in the error's code and type.
local by_name = {
  insufficient_quota = "quota", billing_error = "quota", billing_hard_limit_reached = "quota",
  billing_not_active = "quota", exceeded_current_quota_error = "quota",
  rate_limit_exceeded = "rate_limit", rate_limit_error = "rate_limit",
  invalid_api_key = "auth", authentication_error = "auth", permission_error = "auth",
  overloaded_error = "overloaded", overloaded = "overloaded", server_overloaded = "overloaded",
  service_unavailable = "overloaded", context_length_exceeded = "context_length",
  request_too_large = "context_length", string_above_max_length = "context_length",
  content_filter = "content_filter", content_policy_violation = "content_filter",
  invalid_request_error = "invalid_request", not_found_error = "invalid_request",
  model_not_found = "invalid_request", api_error = "server", server_error = "server",
  internal_server_error = "server", timeout_error = "server",
}

local by_words = {
  { "context length", "context_length" }, { "prompt is too long", "context_length" },
  { "context window", "context_length" }, { "input is too long", "context_length" },
  { "context size", "context_length" },
  { "exceeds the maximum number of tokens", "context_length" },
  { "exceeded your current quota", "quota" },
  { "api key not valid", "auth" },
  { "credit balance", "quota" }, { "available credits", "quota" }, { "overloaded", "overloaded" },
  { "at capacity", "overloaded" }, { "rate limit", "rate_limit" },
}

local retried = { rate_limit = true, overloaded = true, server = true }

local function text_field(object, name)
  local value = object[name]
  if type(value) == "string" then return value end
  if math.type(value) == "integer" then return tostring(value) end
end

local function code_from_words(text)
  text = text:lower()
  for _, entry in ipairs(by_words) do
    if text:find(entry[1], 1, true) then return entry[2] end
  end
end

-- The code that the names, the words or the status tell; the most specific
-- counts.
local function code_of(object, status, text)
  local code = by_name[text_field(object, "code")] or by_name[text_field(object, "type")]
  if code == nil or code == "invalid_request" or code == "rate_limit" then
    code = code_from_words(text) or code
  end
  status = status or tonumber(object.code)
  return code or by_status[status] or (status and status >= 500 and "server")
    or (status and "invalid_request") or "server"
end

-- A key must not show, even if the server repeats it.
local function without(text, secrets)
  for _, secret in pairs(secrets) do
    if #secret >= 4 then text = text:gsub(secret:gsub("%W", "%%%0"), "***") end
  end
  return text
end

local function shortened(text)
  text = text:gsub("%c+", " ")
  return #text > SHOWN and text:sub(1, SHOWN) .. "..." or text
end

local function header(headers, name)
  return headers and headers[name]
end

-- `retryable` for a status without a body that says more.
local function is_retryable(code, status)
  if code == "quota" then return false end
  if status then
    return status == 408 or status == 409 or status == 429 or status >= 500
  end
  return retried[code] or false
end

-- What the answer says in words, or a text that says why it says nothing.
local function said_of(object, status, headers, text)
  local location = header(headers, "location")
  if location and status >= 300 and status < 400 then
    return ("it redirects to %s, which is not followed"):format(location)
  end
  text = text_field(object, "message") or text
  return text:find("%S") and text or "its answer is empty"
end

-- Gemini calls each rate limit a quota, and says only in words when to try again.
local function hint_in_words(text)
  return tonumber(text:match("[Pp]lease retry in ([%d.]+)s"))
end

local function new(target, object, status, headers, text)
  local said = said_of(object, status, headers, text)
  local hinted = hint_in_words(said)
  local code = hinted and status == 429 and "rate_limit" or code_of(object, status, said)
  return tasks.error {
    kind = "llm", code = code, provider = target.provider, model = target.model,
    status = status, retry_after = headers and hint.of_headers(headers) or hinted,
    request_id = header(headers, "x-request-id") or header(headers, "request-id"),
    retryable = is_retryable(code, status),
    message = ("%s%s%s: %s"):format(target.name, status and " answered " .. status or "",
      code == "server" and "" or " (" .. code .. ")",
      without(shortened(said), target.secrets)),
  }
end

-- The object that tells of an error in an answer, if it has one.
local function error_object(text)
  local ok, body = pcall(json.decode, text)
  if not ok or type(body) ~= "table" then return nil end
  if type(body[1]) == "table" then body = body[1] end
  local object = body.error
  if type(object) == "string" then return { message = object } end
  if type(object) == "table" then return object end
  if type(body.message) == "string" then return body end
  if type(body.detail) == "string" then return { message = body.detail } end
end

--- The error of an answer whose status says that it is one.
function failure.of_status(target, status, headers, text)
  return new(target, error_object(text) or {}, status, headers, text)
end

--- The error that an answer or a stream at status 200 tells of.
function failure.in_band(target, object, headers)
  if type(object) ~= "table" then object = { message = tostring(object) } end
  return new(target, object, nil, headers, text_field(object, "message") or json.encode(object))
end

--- An error of our own about an answer, with one of the codes of `llm`.
function failure.coded(target, code, what)
  return tasks.error {
    kind = "llm", code = code, provider = target.provider, model = target.model,
    retryable = false, message = ("%s: %s"):format(target.name, what),
  }
end

--- Raises if an answer of `model` that should be a value is none, in a way that
--- no second question can mend.
function failure.check_usable(model, answer)
  local target = { name = model._name, provider = model.provider, model = answer.model }
  local reason = answer.finish_reason
  local err
  if answer.refusal then
    err = failure.coded(target, "refusal", "the model refused: " .. answer.refusal)
  elseif reason == "length" or reason == "content_filter" then
    err = failure.coded(target, reason,
      ("the answer ended early (%s) and is no whole value"):format(reason))
  end
  if err then
    err.partial = answer
    error(err)
  end
end

--- An answer that is not what was asked for.
function failure.protocol(target, what, text)
  local shown = text:find("%S") and "it begins: " .. without(shortened(text), target.secrets)
    or "it is empty"
  return tasks.error {
    kind = "network", code = "protocol", url = target.shown_url, retryable = false,
    body = without(text:sub(1, 1024), target.secrets),
    message = ("%s: %s; %s"):format(target.name, what, shown),
  }
end

--- A stream that ended before its end mark.
function failure.truncated(target)
  return tasks.error {
    kind = "truncated", url = target.shown_url,
    message = target.name .. ": the stream ended before its end mark",
  }
end

--- In-band errors at status 200 that stand where an answer should.
function failure.of_object(target, body, headers)
  if type(body) == "table" and body.error ~= nil and body.error ~= json.null then
    return failure.in_band(target, body.error, headers)
  end
end

return failure
