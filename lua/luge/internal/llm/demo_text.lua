-- What the demo model says in words. It knows nothing, but it reads what it is
-- given: it calculates, repeats what was said that answers a question, shortens
-- texts, chooses between words; and it tells jokes. Whatever else it is asked,
-- it says what it is.

local read = require "luge.internal.llm.demo_read"

local numbers = {
  one = 1, two = 2, three = 3, four = 4, five = 5, six = 6, seven = 7, eight = 8, nine = 9,
  ten = 10,
}

-- How many of something a request wants.
local function count_of(text, things)
  local word = text:lower():match("%f[%w](%w+)%s+" .. things)
  return numbers[word] or math.tointeger(tonumber(word))
end

-- Rules, in their order: each is given the view of a request and returns an
-- answer, or nil.
local rules = {}

local function rule(fn)
  rules[#rules + 1] = fn
end

-- At a temperature above 1 it miscalculates for some seeds, so that there is
-- something to vote about.
rule(function(view)
  local sum, value = read.sum(view.question)
  if not sum then return nil end
  local holds = read.equation(view.question)
  if holds ~= nil then
    return holds and ("Yes, %s = %s."):format(sum, value)
      or ("No, %s = %s, not that."):format(sum, value)
  end
  if view.temperature > 1 and view.seed % 3 == 2 then value = value + 1 end
  return ("%s = %s"):format(sum, value)
end)

rule(function(view)
  local kind, text = view.question:lower():match("how many (%a+).-\"(.-)\"")
  if not kind then return nil end
  local pattern = kind:find("^word") and "%S+" or kind:find("^letter") and "%a" or nil
  if not pattern then return nil end
  return tostring(select(2, text:gsub(pattern, "")))
end)

local jokes = {
  "Why did %s cross the event loop? To get to the other callback.",
  "How many %s does it take to change a light bulb? One, but it has to be awaited.",
  "I told my computer a joke about %s. It is still waiting for the punch line.",
}

-- Never one that was told before, while there are others.
rule(function(view)
  if not view.question:lower():find("%f[%a]jokes?%f[%A]") then return nil end
  local topic = read.topic(view.question:match("[Jj]okes? about ([^\n.,?!]+)") or "programmers")
  for _, joke in ipairs(jokes) do
    local told = joke:format(topic)
    if not view.all:find(told, 1, true) then return told end
  end
  return ("The demo model knows no more jokes about %s."):format(topic)
end)

rule(function(view)
  local language = view.question:match("[Tt]ranslate.-%sinto (%u%l+)")
    or view.question:match("[Tt]ranslate.-%sto (%u%l+)")
  if not language then return nil end
  local _, text = read.split(view.question)
  return ("[%s, by a demo model that cannot translate] %s"):format(language,
    text:match('"(.-)"') or text)
end)

rule(function(view)
  if not view.question:lower():find("summar") and not view.question:lower():find("shorten") then
    return nil
  end
  local instruction, text = read.split(view.question)
  local sentences = instruction ~= "" and read.sentences(text) or {}
  if #sentences == 0 then return nil end
  local count = count_of(instruction, "sentences?") or 1
  return table.concat(sentences, " ", 1, math.min(count, #sentences))
end)

-- The text without the sentences that have both words.
local function without_sentences(text, a, b)
  local kept = {}
  for _, sentence in ipairs(read.sentences(text)) do
    local both = sentence:find(a, 1, true) and sentence:find(b, 1, true)
    if not both then kept[#kept + 1] = sentence end
  end
  return table.concat(kept, "\n")
end

-- "Answer with one word: positive, negative or neutral."
rule(function(view)
  local list = view.question:match("[Oo]ne of[^:\n]*:%s*([^\n.]+)")
    or view.question:match("[Oo]ne word[^:\n]*:%s*([^\n.]+)")
  local choices = {}
  for word in (list or ""):gsub("%f[%a]or%f[%A]", ","):gmatch("[%w_-]+") do
    choices[#choices + 1] = word
  end
  if #choices < 2 then return nil end
  return read.choose(choices, without_sentences(view.question, choices[1], choices[2]))
end)

local adjectives = { "bright", "quiet", "clever", "golden", "little", "swift", "plain", "curious" }

rule(function(view)
  local text = view.question:lower()
  local wanted = text:find("^%W*list ") or text:find("comma") or text:find("%f[%a]names for")
  if not wanted then return nil end
  local count, thing = 3, nil
  for word, after in text:gmatch("%f[%w](%w+)%s+()") do
    if numbers[word] or tonumber(word) then
      count, thing = numbers[word] or tonumber(word), text:match("^%a+", after)
    end
  end
  local topic = text:match("%f[%a]for an? (%a+)") or text:match("%f[%a]about ([^.,:\n]+)")
    or thing or "things"
  local items = {}
  for i = 1, math.min(count, #adjectives) do items[i] = adjectives[i] .. " " .. topic end
  return table.concat(items, ", ")
end)

-- What was said that has most words in common with a question.
rule(function(view)
  local question = view.question:match("[Qq]uestion:%s*([^\n]+)") or view.asked
  if not question then return nil end
  local _, wanted = read.words(question)
  local best, found = 0, nil
  for _, said in ipairs(view.statements) do
    local likeness = said.text ~= question and read.likeness(said.text, wanted) or 0
    if likeness >= best and likeness > 0 then best, found = likeness, said end
  end
  if not found then return nil end
  return found.earlier and ('You said: "%s"'):format(found.text) or found.text
end)

rule(function(view)
  local text = view.question:lower()
  if not (text:find("^%W*hello") or text:find("^%W*hi%f[%A]") or text:find("who are you")) then
    return nil
  end
  return "Hello! This is luge's built-in demo model. Ask it to calculate, to tell a joke, to "
    .. "summarize a text, or what you told it before."
end)

-- Something that a person tells, and wants to be remembered.
rule(function(view)
  if view.asked or not view.question:find("%f[%a][Mm]y%f[%A]") then return nil end
  return "I will remember that, as far as a demo model remembers."
end)

local sentences = {
  "This is what luge's built-in demo model says about %s.",
  "It is small: it calculates, calls tools and reads what it is given, but of %s it knows no more "
    .. "than the name.",
  "Set LUGE_MODEL, to openai:gpt-4o-mini for instance, and a real model answers here.",
  "More could be said about %s.",
}

rule(function(view)
  local topic, said = read.topic(view.question), {}
  local count = count_of(view.question, "sentences?") or 3
  for i = 1, math.min(count, 20) do
    local named = (i == 1 or #topic < 30) and topic or "that"
    said[i] = sentences[math.min(i, #sentences)]:gsub("%%s", function() return named end)
  end
  return table.concat(said, " ")
end)

--- The answer to a request, of which the view has: `question`, what the user
--- said last; `asked`, its last sentence that is a question; `statements`, what
--- was said before and with it; `all`, the whole conversation as a text.
return function(view)
  for _, answer in ipairs(rules) do
    local text = answer(view)
    if text then return text end
  end
end
