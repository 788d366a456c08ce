-- What the demo model makes of a text: its words that mean something, its
-- sentences, names, numbers and sums, what it is about, and how it is meant.

local read = {}

local function set_of(text)
  local set = {}
  for word in text:gmatch("%S+") do set[word] = true end
  return set
end

-- Words that say nothing about the matter.
local common = set_of [[
  a about after again all also am an and any are as ask at be because been before but by can
  could did do does each every for from give gives had has have he her here him his how i if in
  into is it its just me more most much my no not now of on one only or other our out over please
  say says shall she should so some such take takes tell tells than that the their them then there
  these they this those to too two up us use uses very was we were what when where which while
  who whom whose why will with word words would write you your
  sentence sentences context question answer text following named called
]]

local good = set_of [[
  good great excellent happy love loves loved wonderful best nice fast well perfect fine
  delightful glad recommend like likes enjoyed thank thanks
]]

local bad = set_of [[
  bad awful terrible sad hate hates hated broken worst slow poor refund never disappointing
  disappointed angry useless wrong failed fails cold late
]]

local negations = set_of "no not never none without cannot lacks"

-- A word as it is compared: in small letters, without an English ending.
local function stem(word)
  word = word:lower():gsub("'s$", "")
  if #word > 4 then word = word:gsub("ies$", "y"):gsub("s$", "") end
  return word
end

--- The words that mean something, in their order, each once; and as a set.
function read.words(text)
  local list, set = {}, {}
  for word in text:gmatch("[%w'\x80-\xff]+") do
    local root = stem(word)
    if not common[word:lower()] and not set[root] then
      set[root] = true
      list[#list + 1] = root
    end
  end
  return list, set
end

--- How many words the texts have in common.
function read.likeness(text, set)
  local count = 0
  for _, word in ipairs((read.words(text))) do
    if set[word] then count = count + 1 end
  end
  return count
end

--- The sentences of a text; a line is one at least.
function read.sentences(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    line = line:gsub("([.!?][\"')]*)%s+", "%1\n")
    for sentence in line:gmatch("[^\n]+") do
      sentence = sentence:sub((sentence:match("^[%s%-*>#]*()"))):match("^.*%S") or ""
      if sentence:find("%w") or sentence:find("[\x80-\xff]") then list[#list + 1] = sentence end
    end
  end
  return list
end

function read.is_question(sentence)
  return sentence:find("%?[\"')]*$") ~= nil
end

-- Lines that are all of the form "Name: value".
local function is_form(text)
  for line in text:gmatch("[^\n]*%S[^\n]*") do
    if not line:find("^%s*[%w _-]+:%s+%S") then return false end
  end
  return text:find("\n%s*%S") ~= nil
end

--- What a request puts before a matter: "Summarize this text: ...". Returns
--- the instruction and the matter; the matter alone if there is no instruction.
function read.split(text)
  if is_form(text) then return "", text end
  local before, after = text:match("^(.-):%s*\n(.*%S.*)$")
  if not before then before, after = text:match("^([^\n:]-):%s+(.*%S.*)$") end
  if before then return before, after end
  before, after = text:match("^([^\n]*)\n%s*\n(.*%S.*)$")
  return before or "", after or text
end

-- Calls add(name) for the capital words of a sentence but its first, those that
-- follow each other as one name.
local function names_of_sentence(sentence, add)
  local rest, name = (sentence:match("%s(.*)$") or ""):gsub('"[^"]*"', ","), nil
  for word, stop in rest:gmatch("([%w'\x80-\xff-]+)([^%w\x80-\xff]*)") do
    local is_name = word:find("^%u%w") and not common[word:lower()]
    if name and not is_name then add(name) end
    name = is_name and (name and name .. " " .. word or word) or nil
    if name and stop ~= " " then
      add(name)
      name = nil
    end
  end
end

--- The names in a text: what is in quotes, and words with a capital letter.
function read.names(text)
  local names, seen = {}, {}
  local function add(name)
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  for quoted in text:gmatch('"([^"\n]+)"') do add(quoted) end
  for _, sentence in ipairs(read.sentences(text)) do names_of_sentence(sentence, add) end
  return names
end

-- What stands before the name of a person.
local before_names = { "name%s+is%s+", "[Cc]alled%s+", "[Nn]amed%s+", "I'm%s+", "I%s+am%s+" }

-- The capital words that a text begins with.
local function capital_words(text)
  local name
  for word, stop in text:gmatch("(%u[%w'\x80-\xff-]*)([^%w\x80-\xff]*)") do
    name = name and name .. " " .. word or word
    if stop ~= " " then break end
    text = text:sub(#word + 2)
    if not text:find("^%u") then break end
  end
  return name
end

--- The name of a person: behind "called" and the like, or what a sentence says
--- something of.
function read.person(text)
  for _, opening in ipairs(before_names) do
    local rest = text:match(opening .. "(%u.*)")
    if rest then return capital_words(rest) end
  end
  for _, sentence in ipairs(read.sentences(text)) do
    local name = capital_words(sentence:match("^%u.*") or "")
    local said = name and sentence:sub(#name + 1)
    if said and not common[name:lower()] and (said:find("^%s+%l+s%s") or said:find("^,")) then
      return name
    end
  end
end

--- Whether a text is meant well (above 0) or badly (below).
function read.mood(text)
  local mood, turned = 0, 1
  for word in text:lower():gmatch("[%a']+") do
    if good[word] then mood = mood + turned end
    if bad[word] then mood = mood - turned end
    turned = negations[word] and -1 or 1
  end
  return mood
end

function read.is_negative(text)
  for word in text:lower():gmatch("[%a']+") do
    if negations[word] or word:find("n't$") then return true end
  end
  return read.mood(text) < 0
end

local moods = {
  positive = 1, good = 1, happy = 1, approve = 1, approved = 1, yes = 1,
  negative = -1, bad = -1, unhappy = -1, reject = -1, rejected = -1, no = -1,
  neutral = 0, mixed = 0, unclear = 0,
}

--- The one of some words that a text names, or that says how it is meant; or
--- else the first.
function read.choose(choices, text)
  local lower, mood = text:lower(), read.mood(text)
  for _, choice in ipairs(choices) do
    if type(choice) == "string" and lower:find(choice:lower(), 1, true) then return choice end
  end
  mood = mood > 0 and 1 or mood < 0 and -1 or 0
  for _, choice in ipairs(choices) do
    if type(choice) == "string" and moods[choice:lower()] == mood then return choice end
  end
  return choices[1]
end

-- Sums: + - * / ^ and parentheses, by recursive descent.

local operators = {
  ["+"] = { 1, function(a, b) return a + b end }, ["-"] = { 1, function(a, b) return a - b end },
  ["*"] = { 2, function(a, b) return a * b end }, ["/"] = { 2, function(a, b) return a / b end },
  ["^"] = { 3, function(a, b) return a ^ b end },
}

local function calculate(text, at, level)
  local value, next_at
  at = text:match("^%s*()", at)
  if text:find("^%(", at) then
    value, next_at = calculate(text, at + 1, 1)
    next_at = value and text:match("^%s*%)()", next_at)
  else
    local digits
    digits, next_at = text:match("^(%-?%d+%.?%d*)()", at)
    value = tonumber(digits)
  end
  while value and next_at do
    local sign, after = text:match("^%s*([-+*/^])()", next_at)
    local operator = operators[sign]
    if not operator or operator[1] < level then break end
    local right
    right, after = calculate(text, after, operator[1] + 1)
    if not right then break end
    value, next_at = operator[2](value, right), after
  end
  return value, next_at
end

--- The first sum of a text, "17 * 23", and its value; nil if there is none.
function read.sum(text)
  text = text:gsub("(%d)%s+plus%s+", "%1 + "):gsub("(%d)%s+minus%s+", "%1 - ")
    :gsub("(%d)%s+times%s+", "%1 * "):gsub("(%d)%s+divided by%s+", "%1 / ")
    :gsub("(%d)%s*[x×]%s*(%d)", "%1 * %2")
  local from = text:find("%(?%f[%d.][%d.]+[%s)]*[-+*/^]%s*%(?%s*%d")
  if not from or text:find("^%d+%-%d+%-%d", from) then return nil end
  local value, stop = calculate(text, from, 1)
  if not (value and stop) or value ~= value or math.abs(value) == math.huge then return nil end
  local whole = math.tointeger(value)
  return text:sub(from, stop - 1), whole or value, text:sub(stop)
end

--- Whether the equation in a text, "2 + 2 = 5", holds; nil if there is none.
function read.equation(text)
  local _, value, rest = read.sum(text)
  local claimed = rest and (rest:match("^%s*=%s*(%-?%d+%.?%d*)")
    or rest:match("^%s*is%s+(%-?%d+%.?%d*)"))
  return claimed and math.abs(tonumber(claimed) - value) < 1e-6
end

-- What requests begin and end with, around what they are about.
local openings = {
  "please", "could you", "can you", "explain", "describe", "define", "discuss", "introduce",
  "tell me about", "tell me", "tell us", "write about", "what is", "what are", "what was",
  "who is", "who was", "how does", "how do", "why is", "why are", "about", "on",
  "a joke about", "a poem about", "a haiku about", "a story about", "a tagline for",
  "write", "make", "give me", "make up", "suggest", "list", "name", "summarize", "summarise",
}
local closings = {
  "%s+in %w+ sentences?$", "%s+in %w+ words?$", "%s+in one line$", "%s+briefly$", "%s+to a child$",
  "%s+like i'm five$", "%s+work$", "%s+works$",
}

local function without_openings(text)
  local changed = true
  while changed do
    changed = false
    for _, opening in ipairs(openings) do
      if text:lower():sub(1, #opening + 1) == opening .. " " then
        text, changed = text:sub(#opening + 2), true
      end
    end
  end
  return text
end

--- What a request is about, in some words.
function read.topic(text)
  local topic = (read.sentences(text)[1] or text):match("^.*[^%s%p]") or ""
  topic = without_openings(topic)
  for _, closing in ipairs(closings) do
    local at = topic:lower():find(closing)
    if at then topic = topic:sub(1, at - 1) end
  end
  local words = {}
  for word in topic:gmatch("%S+") do words[#words + 1] = word end
  if #words > 8 then topic = table.concat(words, " ", 1, 8) .. "..." end
  return topic ~= "" and topic or "this"
end

return read
