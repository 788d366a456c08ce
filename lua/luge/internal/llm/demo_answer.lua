-- What the demo model says: a function of the request, and of nothing else. It
-- speaks about itself, calls the tools that are spoken of, tells their results,
-- and fills in schemas, so that scripts meet all that a real model does.

local json = require "luge.json"
local demo_value = require "luge.internal.llm.demo_value"

local demo_answer = {}

local SHOWN = 200 -- characters of the question that an answer repeats

local function text_of(content)
  if type(content) == "string" then return content end
  local texts = {}
  for _, part in ipairs(type(content) == "table" and content or {}) do
    texts[#texts + 1] = part.text
  end
  return table.concat(texts, " ")
end

local function last_said(messages, role)
  for i = #messages, 1, -1 do
    if messages[i].role == role then return text_of(messages[i].content) end
  end
  return ""
end

local function shortened(text)
  text = text:gsub("%s+", " ")
  local stop = utf8.offset(text, SHOWN + 1)
  return stop and text:sub(1, stop - 1) .. "..." or text
end

-- Tools.

local function mentions(text, words)
  for word in words:lower():gmatch("%a+") do
    if #word >= 4 and text:find(word, 1, true) then return true end
  end
  return false
end

-- The tools that a request makes the model call.
local function wanted_tools(request, question)
  local choice, wanted = request.tool_choice, {}
  if not request.tools or choice == "none" then return wanted end
  local text = question:lower()
  for _, tool in ipairs(request.tools) do
    local f = tool["function"]
    local forced = type(choice) == "table" and choice["function"]
      and choice["function"].name == f.name
    if forced or (type(choice) ~= "table"
      and mentions(text, f.name:gsub("_", " ") .. " " .. text_of(f.description))) then
      wanted[#wanted + 1] = f
    end
  end
  if #wanted == 0 and choice == "required" then wanted[1] = request.tools[1]["function"] end
  return wanted
end

local function calls_of(tools, question, turn)
  local calls = json.array()
  for i, f in ipairs(tools) do
    local arguments = demo_value.make(f.parameters or { type = "object" }, question)
    calls[i] = { id = ("call_%d_%d"):format(turn, i), type = "function", ["function"] = {
      name = f.name, arguments = json.encode(json.object(arguments), { sort_keys = true }),
    } }
  end
  return calls
end

local function told_results(messages)
  local results = {}
  for i = #messages, 1, -1 do
    if messages[i].role ~= "tool" then break end
    local handed_over = tostring(messages[i].name):find("^transfer_to_")
    if handed_over then return {} end
    table.insert(results, 1, shortened(text_of(messages[i].content)))
  end
  return results
end

-- Texts.

local function structured(format, question)
  if format.type == "json_schema" then
    local value = demo_value.make(format.json_schema.schema, question)
    return json.encode(value, { sort_keys = true })
  end
  return json.encode({ answer = "This is luge's demo model.", question = shortened(question) },
    { sort_keys = true })
end

local function spoken(question)
  return ("This is luge's built-in demo model, not a real one. You asked: \"%s\" "
    .. "Set LUGE_MODEL, to openai:gpt-4o-mini for instance, and a real model answers here.")
    :format(shortened(question))
end

local function cut_at_stop(text, stop)
  if type(stop) == "string" then stop = { stop } end
  for _, word in ipairs(type(stop) == "table" and stop or {}) do
    local at = word ~= "" and text:find(word, 1, true)
    if at then text = text:sub(1, at - 1) end
  end
  return text
end

--- A text in pieces of a word each.
function demo_answer.pieces(text)
  local pieces = {}
  for piece in text:gmatch("%s*%S+") do pieces[#pieces + 1] = piece end
  local tail = text:match("%s+$")
  if tail then pieces[#pieces + 1] = tail end
  return pieces
end

-- A word counts as a token.
local function limited(text, most)
  local pieces = demo_answer.pieces(text)
  if not most or #pieces <= most then return text, "stop", #pieces end
  return table.concat(pieces, "", 1, most), "length", most
end

local function count_words(messages)
  local count = 0
  for _, m in ipairs(messages) do
    for _ in text_of(m.content):gmatch("%S+") do count = count + 1 end
  end
  return count
end

local function answer_text(request, question, results)
  if #results > 0 then
    return "The tools answered: " .. table.concat(results, "; ") .. "."
  end
  local format = request.response_format
  if type(format) == "table" and format.type ~= "text" then return structured(format, question) end
  return spoken(question)
end

--- The answer to a chat request: `content`, `tool_calls`, `finish_reason` and
--- `usage`, as the OpenAI format has them.
function demo_answer.chat(request)
  local messages = request.messages
  local question, results = last_said(messages, "user"), told_results(messages)
  local input = count_words(messages)
  local tools = #results == 0 and wanted_tools(request, question) or {}
  if #tools > 0 then
    return {
      tool_calls = calls_of(tools, question, #messages), finish_reason = "tool_calls",
      usage = { prompt_tokens = input, completion_tokens = #tools, total_tokens = input + #tools },
    }
  end
  local text = cut_at_stop(answer_text(request, question, results), request.stop)
  local content, reason, output =
    limited(text, request.max_completion_tokens or request.max_tokens)
  return {
    content = content, finish_reason = reason,
    usage = { prompt_tokens = input, completion_tokens = output, total_tokens = input + output },
  }
end

-- Embeddings: each word adds to some of the numbers, so that texts with words
-- in common are near each other.

local SIZE = 64

local function add_word(vector, word)
  local hash = 5381
  for i = 1, #word do hash = (hash * 33 + word:byte(i)) & 0xffffffff end
  for _ = 1, 4 do
    hash = (hash * 1664525 + 1013904223) & 0xffffffff
    local place = (hash >> 16) % SIZE + 1
    vector[place] = vector[place] + ((hash >> 8) & 1 == 0 and 1 or -1)
  end
end

--- The vector of a text, of length 1.
function demo_answer.embedding(text)
  local vector, squares = json.array(), 0
  for i = 1, SIZE do vector[i] = 0.0 end
  for word in text:lower():gmatch("[^%s%p]+") do add_word(vector, word) end
  for i = 1, SIZE do squares = squares + vector[i] ^ 2 end
  local length = math.sqrt(squares)
  if length == 0 then
    vector[1], length = 1.0, 1
  end
  for i = 1, SIZE do vector[i] = vector[i] / length end
  return vector
end

return demo_answer
