-- A writer that is killed at random moments, round after round, on one file:
-- everything that it was told is done must be there, whole.
--
--   local rounds = dofile "tests/support/store_kill.lua"
--   rounds(path, count, seed)
--
-- The writer prints a number once that has been acknowledged; each stands for
-- an entry of a log, a key, and a counter that is set by compare_and_set.
local fs = require "luge.fs"
local process = require "luge.process"
local store = require "luge.store"
local test = require "luge.test"

local command = os.getenv "LUGE" or "luge"

local WRITER <const> = [[
local luge, store = require "luge", require "luge.store"
local s = store.sqlite(arg[1])
local log = s:log "log"
io.stdout:setvbuf "no"
local function write(worker)
  for _ = 1, 10000 do
    local value = { worker = worker, text = ("x"):rep(math.random(0, 3000)) }
    local n = log:append(value)
    s:put("key" .. n, value)
    repeat
      local total = s:get "total"
    until s:compare_and_set("total", total, (total or 0) + 1)
    print(n)
  end
end
luge.map({ 1, 2, 3, 4 }, write)
]]

-- Kills it after so many acknowledgements; returns the largest of each line.
local function run_once(script, path, kill_after)
  local child <close> = process.spawn { command, script, path, stderr = "inherit" }
  local acknowledged = {}
  for line in child.stdout:lines() do
    acknowledged[#acknowledged + 1] = math.tointeger(tonumber(line))
    if #acknowledged == kill_after then
      child:kill "SIGKILL"
    end
  end
  test.equal(child:wait().signal, "SIGKILL")
  return acknowledged
end

local function check(path, acknowledged, before)
  local s <close> = store.sqlite(path)
  local n = 0
  for number, value in s:log("log"):read() do
    n = n + 1
    test.equal(number, n)
    test.equal(value.text:match "^x*$", value.text)
    local pair = s:get("key" .. n)
    test.ok(pair == nil or pair.text == value.text)
  end
  for _, number in ipairs(acknowledged) do
    test.ok(number <= n, "an entry is lost")
    test.ok(s:get("key" .. number) ~= nil, "a key is lost")
  end
  local total = s:get "total" or 0
  test.ok(total >= before + #acknowledged, "the counter went back")
  test.ok(total <= n, "the counter counts what is not there")
  return total
end

return function(path, count, seed)
  local script = path .. ".lua"
  fs.write(script, WRITER)
  math.randomseed(seed)
  local total = 0
  for round = 1, count do
    local ok, err = pcall(function()
      total = check(path, run_once(script, path, math.random(1, 40)), total)
    end)
    if not ok then
      error(("seed %d, round %d: %s"):format(seed, round, err), 0)
    end
  end
end
