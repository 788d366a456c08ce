-- A structured answer that is used while it is still being written: the parser
-- streams the JSON value as it grows.

local llm = require "luge.llm"

local schema = {
  type = "object",
  properties = {
    ingredients = { type = "array", items = { type = "string" } },
    minutes = { type = "integer", minimum = 1 },
  },
  required = { "ingredients", "minutes" },
}

local recipe = llm.prompt [[
Here is how to make {dish} in 20 minutes, of "flour", "eggs", "milk" and "butter".
List the ingredients, and the minutes.]]
  | llm.model(nil, { response_format = {
    type = "json_schema", json_schema = { name = "recipe", schema = schema },
  } })
  | llm.json(schema)

-- The value is the same table every time: what was shown is not shown again.
local shown, result = 0, nil
for value in recipe:stream { dish = "pancakes" } do
  result = value
  local list = value.ingredients or {}
  while shown < #list - 1 do -- the last one may still grow
    shown = shown + 1
    print("get " .. list[shown])
  end
end
print("get " .. result.ingredients[#result.ingredients])
print(("and take %d minutes."):format(result.minutes))

-- Prints:
--   get flour
--   get eggs
--   get milk
--   get butter
--   and take 20 minutes.
