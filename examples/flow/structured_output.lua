-- A resume to a table: what the model answers has to fit a JSON Schema, or it
-- is asked again; a node with attempts is around all that.

local flow = require "luge.flow"
local llm = require "luge.llm"

local resume = [[
Name: Jane Doe
Email: jane.doe@example.org
Skills: Lua, C, team leadership

- Director of Operations at Global Logistics
- Project Manager at Bright Ideas]]

local text = { type = "string" }
local schema = {
  type = "object",
  properties = {
    name = text,
    email = text,
    skills = { type = "array", items = text },
    experience = {
      type = "array",
      items = {
        type = "object",
        properties = { title = text, company = text },
        required = { "title", "company" },
      },
    },
  },
  required = { "name", "email", "skills", "experience" },
}

local extract = llm.prompt "Tell what this resume says.\n\n{resume}"
  | llm.model():structured(schema)

local parse = flow.node {
  retries = 3,
  wait = 1,
  prep = function(_, shared) return { resume = shared.resume } end,
  exec = function(_, input) return extract:invoke(input) end,
  post = function(_, shared, _, person) shared.person = person end,
}

local show = flow.node {
  prep = function(_, shared) return shared.person end,
  exec = function(_, person)
    print(("%s <%s>"):format(person.name, person.email))
    for _, job in ipairs(person.experience) do
      print(("  %s (%s)"):format(job.title, job.company))
    end
    print("  knows " .. table.concat(person.skills, ", "))
  end,
}

parse:next(show)
flow.new { start = parse }:run { resume = resume }

-- Prints:
--   Jane Doe <jane.doe@example.org>
--     Director of Operations (Global Logistics)
--     Project Manager (Bright Ideas)
--     knows Lua, C, team leadership
