-- Taboo, played by two agents: one hints at a word that it must not say, the
-- other guesses. Each is a flow of its own; they run at the same time, and talk
-- through two queues.

local luge = require "luge"
local flow = require "luge.flow"
local llm = require "luge.llm"

local hint = llm.prompt [[
Give a hint of at most ten words for the word "{target}", without saying it or
any of: {forbidden}. The last guess was: {guess}. Answer with the hint alone.]]
  | llm.model(nil, { temperature = 1 }) | llm.text()

local guess_prompt = llm.prompt "We play Taboo. Which word does this hint mean? {hint}"

local hinter = flow.node {
  prep = function(_, shared) return shared.to_hinter:get() end, -- waits for a guess
  exec = function(self, guess)
    if guess == self.target then
      return nil
    end
    local text = hint:invoke { target = self.target, forbidden = self.forbidden, guess = guess }
    return (text:gsub(self.target, "[beep]"))
  end,
  post = function(_, shared, _, text)
    if not text then
      print "Hinter:  That is it!"
      shared.to_guesser:close()
      return "end"
    end
    print("Hinter:  " .. text)
    shared.to_guesser:put(text)
    return "again"
  end,
  target = "nostalgia",
  forbidden = "memory, past, feeling, longing",
}

local guesser = flow.node {
  prep = function(_, shared)
    local ok, text = pcall(shared.to_guesser.get, shared.to_guesser) -- waits for a hint
    return { hint = ok and text, untried = shared.words }
  end,
  exec = function(_, turn)
    if not turn.hint then
      return nil
    end
    local answer = { type = "object", properties = { word = { enum = turn.untried } },
      required = { "word" } }
    return (guess_prompt | llm.model():structured(answer)):invoke(turn).word
  end,
  post = function(_, shared, turn, word)
    if not word then
      return "end"
    end
    print("Guesser: " .. word .. "?")
    for i, untried in ipairs(turn.untried) do
      if untried == word then table.remove(turn.untried, i) end
    end
    shared.to_hinter:put(word)
    return "again"
  end,
}

hinter:on("again", hinter)
hinter:on("end", flow.node { exec = function() end })
guesser:on("again", guesser)
guesser:on("end", flow.node { exec = function() end })

local shared = {
  to_hinter = luge.queue(),
  to_guesser = luge.queue(),
  words = { "melancholy", "homesickness", "nostalgia", "boredom", "spring" },
}
shared.to_hinter:put "nothing yet"

luge.gather {
  function() flow.new { start = hinter }:run(shared) end,
  function() flow.new { start = guesser }:run(shared) end,
}

-- Prints:
--   Hinter:  This is what luge's built-in demo model says about ...
--   Guesser: melancholy?
--   Hinter:  This is what luge's built-in demo model says about ...
--   Guesser: homesickness?
--   Hinter:  This is what luge's built-in demo model says about ...
--   Guesser: nostalgia?
--   Hinter:  That is it!
