-- A pool of workers that take prompts off a queue. A closed queue is the signal
-- to end: no sentinels have to be counted. The second part does the same with
-- `batch`, which is such a pool.

local luge = require "luge"
local llm = require "luge.llm"

local answer = llm.model() | llm.text()

local prompts = {
  "Summarize the history of computing.",
  "What is a block chain?",
  "What is the highest mountain?",
  "What is the formula of water?",
  "Name three tragedies.",
}

local function process_by_workers(count)
  local queue = luge.queue()
  local results = {}

  local function worker()
    for item in queue:iter() do
      results[item.index] = answer:invoke(item.prompt)
      queue:task_done()
    end
  end

  for index, prompt in ipairs(prompts) do
    queue:put { index = index, prompt = prompt }
  end
  queue:close()

  luge.scope(function(scope)
    for _ = 1, count do
      scope:spawn(worker)
    end
  end)
  return results
end

local by_workers = process_by_workers(3)
local by_batch = answer:batch(prompts, { concurrency = 3 })

for i, prompt in ipairs(prompts) do
  print(prompt .. " -> " .. by_workers[i])
  assert(by_batch[i] ~= "")
end

-- Prints:
--   Summarize the history of computing. -> ...
--   What is a block chain? -> ...
--   What is the highest mountain? -> ...
--   What is the formula of water? -> ...
--   Name three tragedies. -> ...
