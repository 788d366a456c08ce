-- What the demo model answers: a function of the request, and of nothing else.
-- It calls the tools that are spoken of, tells their results, fills in schemas
-- and says something in words, so that scripts meet all that a real model does.

local json = require "luge.json"
local demo_value = require "luge.internal.llm.demo_value"
local read = require "luge.internal.llm.demo_read"
local speak = require "luge.internal.llm.demo_text"

local demo_answer = {}

local SHOWN = 1000 -- characters of a tool's result that an answer repeats
local CALLS = 4    -- of one tool, for a question that names several places
local READ = 8192  -- bytes of a message that are looked at

local function text_of(content)
  if type(content) == "string" then return content end
  local texts = {}
  for _, part in ipairs(type(content) == "table" and content or {}) do
    texts[#texts + 1] = part.text
  end
  return table.concat(texts, " ")
end

-- As much of a message as is looked at: rules take longer than linear time.
local function read_of(m)
  local text = text_of(m.content)
  if #text <= READ then return text end
  local stop = READ + 1
  while text:find("^[\x80-\xbf]", stop) do stop = stop - 1 end
  return text:sub(1, stop - 1)
end

local function last_said(messages, role)
  for i = #messages, 1, -1 do
    if messages[i].role == role then return read_of(messages[i]) end
  end
  return ""
end

local function shortened(text)
  text = text:gsub("%s+", " ")
  local stop = utf8.offset(text, SHOWN + 1)
  return stop and text:sub(1, stop - 1) .. "..." or text
end

-- Tools.

-- How much a question speaks of a tool: words of its name count more. A sum is
-- for a tool that calculates, a question for one that searches.
local function relevance(f, wanted, question)
  local name, described = f.name:gsub("_", " "), text_of(f.description)
  local all = (name .. " " .. described):lower()
  local calculates = all:find("calculat") or all:find("arithmetic")
  local fits = calculates and read.sum(question)
    or all:find("search") and question:find("?", 1, true)
  return 2 * read.likeness(name, wanted) + read.likeness(described, wanted) + (fits and 2 or 0)
end

-- The tools that a request makes the model call.
local function wanted_tools(request, question)
  local choice, wanted = request.tool_choice, {}
  if not request.tools or choice == "none" then return wanted end
  local _, words = read.words(question)
  for _, tool in ipairs(request.tools) do
    local f = tool["function"]
    local forced = type(choice) == "table" and choice["function"]
      and choice["function"].name == f.name
    if forced or (type(choice) ~= "table" and relevance(f, words, question) >= 2) then
      wanted[#wanted + 1] = f
    end
  end
  if #wanted == 0 and choice == "required" then wanted[1] = request.tools[1]["function"] end
  return wanted
end

-- The names that a tool is called with, one after the other: those of "in Oslo
-- and Rome", if a single text is all that it needs; or nil.
local function names_for(f, question)
  local parameters = f.parameters or {}
  local needed = parameters.required or {}
  local only = #needed == 1 and (parameters.properties or {})[needed[1]]
  local several = question:find("[%w\x80-\xff] and ")
  if not (several and only and only.type == "string" and not only.enum) then return nil end
  local names = read.names(question)
  return #names > 1 and names or nil
end

local function call_of(f, question, names, id)
  local arguments = demo_value.make(f.parameters or { type = "object" }, question, names)
  return { id = id, type = "function", ["function"] = {
    name = f.name, arguments = json.encode(json.object(arguments), { sort_keys = true }),
  } }
end

local function calls_of(tools, question, turn)
  local calls = json.array()
  for _, f in ipairs(tools) do
    local names = names_for(f, question)
    for i = 1, math.min(names and #names or 1, CALLS) do
      local id = ("call_%d_%d"):format(turn, #calls + 1)
      calls[#calls + 1] = call_of(f, question, names and { names[i] }, id)
    end
  end
  return calls
end

-- What the tools answered since the model spoke last, each by its name.
local function told_results(messages, calls)
  local results = {}
  for i = #messages, 1, -1 do
    local m = messages[i]
    if m.role ~= "tool" then break end
    local name = calls[m.tool_call_id] or m.name or "the tool"
    if name:find("^transfer_to_") then return {} end
    table.insert(results, 1, { name = name, text = shortened(text_of(m.content)) })
  end
  return results
end

local function names_of_calls(messages)
  local names = {}
  for _, m in ipairs(messages) do
    for _, call in ipairs(type(m.tool_calls) == "table" and m.tool_calls or {}) do
      if call.id and call["function"] then names[call.id] = call["function"].name end
    end
  end
  return names
end

-- Texts.

local function structured(format, text)
  if format.type == "json_schema" then
    return json.encode(demo_value.make(format.json_schema.schema, text), { sort_keys = true })
  end
  return json.encode({ answer = "This is luge's demo model.", question = shortened(text) },
    { sort_keys = true })
end

local function tell_results(results)
  local parts = {}
  for i, result in ipairs(results) do
    parts[i] = ("%s says: %s"):format(result.name, (result.text:gsub("%.$", "")))
  end
  return table.concat(parts, "; ") .. "."
end

-- The statements of a message: of the system's, what follows its first line.
local function add_statements(list, m, earlier)
  local text = read_of(m)
  if m.role == "system" then text = text:match("\n(.*)") or "" end
  for _, sentence in ipairs(read.sentences(text)) do
    if not read.is_question(sentence) and not sentence:find(":$") then
      list[#list + 1] = { text = sentence, earlier = earlier and m.role == "user" }
    end
  end
end

-- What demo_text looks at.
local function view_of(request, question)
  local statements, all, last = {}, {}, 0
  local messages = request.messages
  for i, m in ipairs(messages) do
    all[i] = read_of(m)
    if m.role == "user" then last = i end
  end
  for i, m in ipairs(messages) do
    if m.role == "user" or m.role == "system" then add_statements(statements, m, i < last) end
  end
  local asked
  for _, sentence in ipairs(read.sentences(question)) do
    if read.is_question(sentence) then asked = sentence end
  end
  return {
    question = question, asked = asked, statements = statements,
    all = table.concat(all, "\n"), temperature = tonumber(request.temperature) or 0,
    seed = math.tointeger(request.seed) or 0,
  }
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
  local format = request.response_format
  if type(format) == "table" and format.type ~= "text" then
    local texts = { question }
    for _, result in ipairs(results) do texts[#texts + 1] = result.text end
    return structured(format, table.concat(texts, "\n"))
  end
  if #results > 0 then return tell_results(results) end
  return speak(view_of(request, question))
end

local function usage_of(input, output)
  return { prompt_tokens = input, completion_tokens = output, total_tokens = input + output }
end

--- The answer to a chat request: `content`, `tool_calls`, `finish_reason` and
--- `usage`, as the OpenAI format has them.
function demo_answer.chat(request)
  local messages = request.messages
  local question = last_said(messages, "user")
  local results = told_results(messages, names_of_calls(messages))
  local input = count_words(messages)
  local tools = #results == 0 and wanted_tools(request, question) or {}
  if #tools > 0 then
    local calls = calls_of(tools, question, #messages)
    return { tool_calls = calls, finish_reason = "tool_calls", usage = usage_of(input, #calls) }
  end
  local text = cut_at_stop(answer_text(request, question, results), request.stop)
  local content, reason, output =
    limited(text, request.max_completion_tokens or request.max_tokens)
  return { content = content, finish_reason = reason, usage = usage_of(input, output) }
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
