-- A batch over a file of any size: lines are read as they are needed, 32 are
-- asked about at once, and a bar on the terminal shows how far it is. Outputs
-- are kept as they come, so that a run that was interrupted goes on where it
-- stopped.
--
--   luge examples/large_batch.lua FILE    one question a line
--   luge examples/large_batch.lua         over a file that it makes itself

local fs = require "luge.fs"
local llm = require "luge.llm"

local path = ...
local scratch <close> = fs.temp { directory = true }

if not path then
  path = scratch.path .. "/questions.txt"
  local questions = {}
  for i = 1, 300 do
    questions[i] = ("What is %d times %d?"):format(i, i)
  end
  fs.write(path, table.concat(questions, "\n") .. "\n")
end

local answer = llm.prompt "Answer briefly: {question}" | llm.model() | llm.text()

local function run()
  local usage = llm.usage(function()
    local answers = answer:batch(fs.lines(path), {
      concurrency = 32,
      progress = true, -- on standard error, if that is a terminal
      checkpoint = scratch.path .. "/answers.jsonl",
    })
    print(("%d answers; the last one: %s"):format(answers.n, answers[answers.n]))
  end)
  print(("the model was asked %d times"):format(usage.requests))
end

run()
run() -- everything is there already

-- Prints:
--   300 answers; the last one: 300 * 300 = 90000
--   the model was asked 300 times
--   300 answers; the last one: 300 * 300 = 90000
--   the model was asked 0 times
