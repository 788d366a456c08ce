-- llm.json: text to values. As a stream it gives the value as it grows.

local json = require "luge.json"
local grower = require("luge.native.json").grower
local check = require "luge.internal.chain.check"
local fence = require "luge.internal.llm.fence"
local join = require "luge.internal.chain.join"
local parsers = require "luge.internal.llm.parsers"
local runnable = require "luge.internal.chain.runnable"

local Json = {}

local function finish(self, reader, block)
  reader:feed(block:finish())
  local value = reader:finish()
  if self.schema then self.schema:check(value) end
  return value
end

function Json:_invoke(input)
  local reader, block = json.reader(), fence.new()
  reader:feed(block:push(parsers.text_of(input, "llm.json")))
  return finish(self, reader, block)
end

-- The value grows in place: a piece is the same table as the one before, with
-- more in it. Once the document is known to be bare, pieces go to the reader as
-- they are.
function Json:_transform(pull, close)
  local reader, block, last = json.reader(), fence.new(), nil
  local grow, bare, ended = grower(reader), false, false
  local function finished()
    ended = true
    local value = finish(self, reader, block)
    return not rawequal(value, last) and value or nil
  end
  local function pull_value()
    while not ended do
      local text = pull()
      if text == nil then return finished() end
      if type(text) ~= "string" then text = parsers.text_of_piece(text, "llm.json") end
      if not bare then
        text = block:push(text)
        bare = block:is_bare()
      end
      local value = grow(text)
      if value ~= nil then
        last = value
        return value
      end
    end
  end
  return pull_value, close, join.last
end

--- What tells its values from those of others: they fit another schema.
function Json:_identity()
  return self.source
end

runnable.class("json", "parser", Json)

return function(schema)
  if schema == nil then return runnable.new(Json, {}) end
  if type(schema) ~= "table" and type(schema) ~= "boolean" then
    check.invalid("llm.json: got %s, takes a JSON Schema", check.describe(schema))
  end
  return runnable.new(Json, { schema = json.schema(schema), source = schema })
end
