-- Map and reduce: every resume is judged on its own, four at a time; then one
-- node counts who qualifies.

local flow = require "luge.flow"
local llm = require "luge.llm"

local resumes = {
  ["ada.txt"] = "Name: Ada\nAda has 12 years of experience with engines. Excellent references.",
  ["bob.txt"] = "Name: Bob\nBob has 2 years of experience. He does not know engines.",
  ["eve.txt"] = "Name: Eve\nEve has 7 years of experience with steam. Great with people.",
}

local judge = llm.prompt "Does this person qualify for work on engines?\n\n{resume}"
  | llm.model():structured {
    type = "object",
    properties = {
      name = { type = "string" },
      qualified = { type = "boolean" },
      years = { type = "integer" },
    },
    required = { "name", "qualified", "years" },
  }

local read = flow.node {
  post = function(_, shared)
    shared.resumes = resumes -- files, in a real program
  end,
}

local evaluate = flow.batch_node {
  concurrency = 4,
  retries = 3,
  prep = function(_, shared)
    local files = {}
    for file, text in pairs(shared.resumes) do
      table.insert(files, { file = file, text = text })
    end
    table.sort(files, function(a, b) return a.file < b.file end)
    return files
  end,
  exec = function(_, item)
    local verdict = judge:invoke { resume = item.text }
    verdict.file = item.file
    return verdict
  end,
  post = function(_, shared, _, verdicts)
    shared.verdicts = verdicts -- in the order of the files
  end,
}

local count = flow.node {
  prep = function(_, shared) return shared.verdicts end,
  exec = function(_, verdicts)
    local qualified = {}
    for _, verdict in ipairs(verdicts) do
      print(("%s: %s, %d years, %s"):format(verdict.file, verdict.name, verdict.years,
        verdict.qualified and "qualified" or "not qualified"))
      if verdict.qualified then
        table.insert(qualified, verdict.name)
      end
    end
    return qualified
  end,
  post = function(_, _, verdicts, qualified)
    print(("%d of %d qualify: %s"):format(#qualified, #verdicts, table.concat(qualified, ", ")))
  end,
}

read:next(evaluate):next(count)
flow.new { start = read }:run {}

-- Prints:
--   ada.txt: Ada, 12 years, qualified
--   bob.txt: Bob, 2 years, not qualified
--   eve.txt: Eve, 7 years, qualified
--   2 of 3 qualify: Ada, Eve
