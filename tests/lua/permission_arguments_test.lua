-- Whatever a script passes to the functions behind luge's modules, which it can
-- require too, they refuse it and stay whole: with files and hosts allowed, so
-- that they get to their work.
local test = require "luge.test"
local describe, it = test.describe, test.it
local permission = dofile "tests/support/permission.lua"

local script = [[
  local luge = require "luge"
  math.randomseed(SEED)

  local values = {
    1, -1, 0, 2 ^ 53, 0 / 0, 1.5, math.maxinteger, math.mininteger, true, false,
    "x", "", "..", "in/a", "read", ("y"):rep(300), {}, { 1, 2 }, { x = {} },
    function() end, coroutine.create(function() end), io.stdout,
    luge.event(), luge.semaphore(1), luge.future(), luge.queue(1), luge.current(),
  }
  local made = 0

  local function arguments()
    local count, list = math.random(0, 6), {}
    for i = 1, count do
      list[i] = values[math.random(#values + 2)] -- or nil
    end
    return table.unpack(list, 1, count)
  end

  -- What is made is an argument too, and its methods are called.
  local function keep(result)
    if type(result) ~= "userdata" then return end
    values[40 + made % 20], made = result, made + 1
    for _, name in ipairs { "read", "write", "next", "stat", "wait", "feed", "value", "position",
      "sync", "release", "acquire", "run", "kill", "bind", "keep", "name", "path", "port", "stop",
      "drain", "finish", "cancel", "close", "close" } do
      pcall(function() result[name](result, arguments()) end)
    end
  end

  -- What waits for a person, ends the script, or is another test's.
  local left_out = {
    ["stdio.take"] = true, ["task.timeout"] = true, ["task.shield"] = true,
    ["clock.install"] = true, ["prompt.read"] = true,
  }

  local names = {}
  for module in pairs(package.preload) do
    local short = module:match "^luge%.native%.([%w_]+)$"
    if short and not short:find "^test" then
      for name, value in pairs(require(module)) do
        if type(value) == "function" and not left_out[short .. "." .. name] then
          names[#names + 1] = { short .. "." .. name, value }
        end
      end
    end
  end
  table.sort(names, function(a, b) return a[1] < b[1] end)

  for _, entry in ipairs(names) do
    for _ = 1, 12 do
      pcall(luge.timeout, 0.001, function()
        keep((entry[2](arguments())))
      end)
    end
  end
  print("whole", #names > 80)
]]

describe("functions behind the modules", function()
  for seed = 1, 2 do
    it(("stay whole whatever they are given (%d)"):format(seed), function()
      local folder <close> = permission.folder()
      local result = folder:run(
        { "--allow-read=in", "--allow-write=in", "--allow-net=localhost", "--allow-env" },
        (script:gsub("SEED", seed)))
      test.equal(result.signal, nil)
      test.matches(result.stdout, "whole\ttrue", result.stderr)
    end, { timeout = 60 })
  end
end)
