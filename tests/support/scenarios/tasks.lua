-- Tasks, and what runs several of them. See ../scenarios.lua.
local luge = require "luge"
local test = require "luge.test"

local scenario, MS = ...

scenario("sleep", function(env)
  return function()
    local _ <close> = env:guard()
    luge.sleep(2 * MS)
    luge.sleep(0)
    luge.sleep(MS)
  end
end)

scenario("a wait that pcall catches, again and again", function(env)
  return function()
    local _ <close> = env:guard()
    for _ = 1, 4 do
      local ok, err = pcall(luge.sleep, MS)
      if not ok then
        test.equal(err.kind, "cancelled")
        test.raises("cancelled", luge.sleep, MS)
        error(err)
      end
    end
  end
end)

scenario("await of a task that others own", function(env)
  local shared = env:sibling(function()
    luge.sleep(3 * MS)
    return "shared"
  end)
  return function()
    local _ <close> = env:guard()
    test.equal(shared:await(), "shared")
    luge.sleep(MS)
  end
end)

scenario("a tree of tasks", function(env)
  local function grow(depth)
    local _ <close> = env:guard()
    if depth > 0 then
      luge.spawn(grow, depth - 1)
      local other = luge.spawn(grow, depth - 1)
      luge.sleep(depth * MS)
      other:await()
    end
    luge.sleep(MS)
  end
  return function() grow(3) end
end)

scenario("children that the function does not wait for", function(env)
  return function()
    for i = 1, 5 do
      luge.spawn(function()
        local _ <close> = env:guard()
        luge.sleep(i * MS)
      end)
    end
  end
end)

scenario("gather", function(env)
  return function()
    local functions = {}
    for i = 1, 5 do
      functions[i] = function()
        local _ <close> = env:guard()
        luge.sleep(i * MS)
        return i
      end
    end
    test.same(luge.gather(functions), { n = 5, 1, 2, 3, 4, 5 })
  end
end)

scenario("gather, with errors returned", function(env)
  return function()
    local results = luge.gather({
      function()
        local _ <close> = env:guard()
        luge.sleep(2 * MS)
        error("in its place", 0)
      end,
      function()
        local _ <close> = env:guard()
        luge.sleep(4 * MS)
        return "fine"
      end,
    }, { return_errors = true })
    test.same(results, { n = 2, "in its place", "fine" })
  end
end)

scenario("map over an iterator", function(env)
  return function()
    local i = 0
    local results = luge.map(function()
      i = i + 1
      return i <= 7 and i or nil
    end, function(item)
      local _ <close> = env:guard()
      luge.sleep(item % 3 * MS)
      return item * 2
    end, { concurrency = 3 })
    test.equal(results.n, 7)
    test.equal(results[7], 14)
  end
end)

scenario("race", function(env)
  return function()
    local index, value = luge.race {
      function()
        local _ <close> = env:guard()
        luge.sleep(5 * MS)
        return "late"
      end,
      function()
        local _ <close> = env:guard()
        luge.sleep(3 * MS)
        return "first"
      end,
    }
    test.same({ index, value }, { 2, "first" })
    luge.sleep(MS)
  end
end)

scenario("as_completed", function(env)
  return function()
    local functions, order = {}, {}
    for i = 1, 4 do
      functions[i] = function()
        local _ <close> = env:guard()
        luge.sleep((5 - i) * MS)
      end
    end
    for index in luge.as_completed(functions) do
      order[#order + 1] = index
      luge.sleep(0)
      if #order == 3 then
        break
      end
    end
    test.same(order, { 4, 3, 2 })
  end
end)
