-- A recipe for an ingredient: look recipes up, let the model pick one, ask the
-- user, and pick again if it was refused. The look-up, the model and the user
-- are all waited for. Answers that nobody types: "chicken", then "n", then "y".

local luge = require "luge"
local flow = require "luge.flow"
local llm = require "luge.llm"

local model = llm.model()
local typed_for_you = { "chicken", "n", "y" }

local function ask(question)
  io.write(question, " ")
  local answer = io.read() -- waits; other tasks go on
  if not answer then
    answer = table.remove(typed_for_you, 1) or "y"
    print(answer)
  end
  return answer
end

local fetch_recipes = flow.node {
  prep = function() return ask "Which ingredient?" end,
  exec = function(_, ingredient)
    luge.sleep(0.1) -- in place of a web service
    return { ingredient .. " curry", "grilled " .. ingredient, ingredient .. " salad" }
  end,
  post = function(_, shared, ingredient, recipes)
    shared.ingredient, shared.recipes = ingredient, recipes
    print(("found %d recipes"):format(#recipes))
  end,
}

local suggest_recipe = flow.node {
  prep = function(_, shared) return shared.recipes end,
  exec = function(_, recipes)
    local choice = { type = "object", properties = { recipe = { enum = recipes } },
      required = { "recipe" } }
    return model:structured(choice):invoke("Choose the best of these recipes.").recipe
  end,
  post = function(_, shared, _, recipe)
    shared.suggestion = recipe
    print("suggestion: " .. recipe)
  end,
}

local get_approval = flow.node {
  prep = function() return ask "Accept it? (y/n)" end,
  post = function(_, shared, answer)
    if answer:lower() == "y" or #shared.recipes == 1 then
      print("Enjoy your " .. shared.suggestion .. "!")
      return "accept"
    end
    for i, recipe in ipairs(shared.recipes) do
      if recipe == shared.suggestion then
        table.remove(shared.recipes, i)
      end
    end
    return "retry"
  end,
}

fetch_recipes:next(suggest_recipe)
suggest_recipe:next(get_approval)
get_approval:on("retry", suggest_recipe)
get_approval:on("accept", flow.node { exec = function() print "Goodbye." end })

flow.new { start = fetch_recipes }:run {}

-- Prints:
--   Which ingredient? chicken
--   found 3 recipes
--   suggestion: chicken curry
--   Accept it? (y/n) n
--   suggestion: grilled chicken
--   Accept it? (y/n) y
--   Enjoy your grilled chicken!
--   Goodbye.
