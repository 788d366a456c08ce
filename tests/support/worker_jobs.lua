-- Functions for worker_test.lua that workers find by name.
local jobs = { count = 0, text = "no function" }

function jobs.add(a, b) return a + b end

-- How often this worker's copy of the module was asked.
function jobs.tally()
  jobs.count = jobs.count + 1
  return jobs.count
end

-- Meets another job: each makes a file, and computes until it sees the other's.
function jobs.meet(mine, other)
  io.open(mine, "w"):close()
  while true do
    local file = io.open(other)
    if file then
      file:close()
      return true
    end
  end
end

return setmetatable(jobs, { __call = function(_, ...) return select("#", ...) end })
