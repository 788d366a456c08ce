-- Tables instead of text: what a model says about each of many texts, checked
-- against a JSON Schema, several at once, with what it cost.

local llm = require "luge.llm"

local review = {
  type = "object",
  properties = {
    mood = { enum = { "good", "bad", "mixed" } },
    product = { type = "string" },
    stars = { type = "integer", minimum = 1, maximum = 5 },
  },
  required = { "mood", "product", "stars" },
}

local classify = llm.prompt "Tell what this review is about, and how it is meant: {text}"
  | llm.model():structured(review, { repairs = 2 })

local texts = {
  "The \"Kettle\" is good: 5 stars.",
  "A bad \"Lamp\", I give it 2.",
  "Mixed feelings about the \"Chair\", 3 of 5.",
}

local usage = llm.usage(function()
  -- Each as it is there.
  for i, text in classify:batch_as_completed(texts, { concurrency = 4 }) do
    print(("%d. %s: %s, %d stars"):format(i, text.product, text.mood, text.stars))
  end
end)
print(("%d requests, %d tokens in, %d out"):format(usage.requests, usage.input_tokens,
  usage.output_tokens))

-- Prints:
--   ...: ..., ... stars
--   ...: ..., ... stars
--   ...: ..., ... stars
--   3 requests, 54 tokens in, 3 out
