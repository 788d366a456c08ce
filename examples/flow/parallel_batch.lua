-- The same flow for many parameters, several at once: each text in each
-- language. `self.params` of the runs are separate, although they overlap.

local flow = require "luge.flow"
local llm = require "luge.llm"
local luge = require "luge"

local texts = { tea = "The tea is hot.", sea = "The sea is deep." }
local languages = { "German", "Korean", "Spanish" }

local translate = llm.prompt "Translate into {language}: {text}" | llm.model() | llm.text()
local working, most = 0, 0

local load = flow.node {
  post = function(self, shared)
    shared.loaded[self.params.name] = texts[self.params.name]
  end,
}

local translate_text = flow.node {
  prep = function(self, shared)
    return { language = self.params.language, text = shared.loaded[self.params.name] }
  end,
  exec = function(_, input)
    working = working + 1
    most = math.max(most, working)
    luge.sleep(0.05) -- a real model takes its time
    local text = translate:invoke(input)
    working = working - 1
    return text
  end,
  post = function(self, shared, _, text)
    shared.translations[self.params.name .. " " .. self.params.language] = text
  end,
}

load:next(translate_text)

local function translate_all(concurrency)
  working, most = 0, 0
  local shared = { loaded = {}, translations = {} }
  flow.batch {
    start = load,
    concurrency = concurrency,
    prep = function()
      local list = {}
      for name in pairs(texts) do
        for _, language in ipairs(languages) do
          table.insert(list, { name = name, language = language })
        end
      end
      return list
    end,
  }:run(shared)
  return shared.translations
end

local one_by_one = translate_all(1)
print(("one by one: %d at once"):format(most))
local together = translate_all(3)
print(("in parallel: %d at once"):format(most))

local names = {}
for name, text in pairs(together) do
  assert(text == one_by_one[name])
  table.insert(names, name)
end
table.sort(names)
for _, name in ipairs(names) do
  print(name .. ": " .. together[name])
end

-- Prints:
--   one by one: 1 at once
--   in parallel: 3 at once
--   sea German: ... The sea is deep.
--   sea Korean: ... The sea is deep.
--   sea Spanish: ... The sea is deep.
--   tea German: ... The tea is hot.
--   tea Korean: ... The tea is hot.
--   tea Spanish: ... The tea is hot.
