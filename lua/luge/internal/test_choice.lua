-- Which of a file's tests run, and what they are called.
local suite = require "luge.internal.test_suite"

local choice = {}

--- The name of a test or group, behind those of the groups it is in.
function choice.full_name(entry)
  return table.concat(suite.path(entry), " > ")
end

--- Whether a group has tests that are not skipped.
function choice.has_tests_to_run(group)
  for _, entry in ipairs(group.entries) do
    if entry.test and not entry.skip or not entry.test and choice.has_tests_to_run(entry) then
      return true
    end
  end
  return false
end

local function each_test(group, fn)
  for _, entry in ipairs(group.entries) do
    if entry.test then
      fn(entry)
    else
      each_test(entry, fn)
    end
  end
end

--- With tests marked `only`, the others are skipped.
function choice.apply_only(root)
  local any = false
  each_test(root, function(entry) any = any or entry.only end)
  if any then
    each_test(root, function(entry)
      entry.skip = entry.skip or not entry.only and "others are marked `only`"
    end)
  end
end

--- Takes out the tests whose names, with their groups', do not hold the text.
function choice.apply_filter(group, filter)
  local kept = {}
  for _, entry in ipairs(group.entries) do
    if not entry.test then
      choice.apply_filter(entry, filter)
    end
    if not entry.test or choice.full_name(entry):find(filter, 1, true) then
      kept[#kept + 1] = entry
    end
  end
  group.entries = kept
end

--- How many tests there are.
function choice.count(root)
  local tests = 0
  each_test(root, function() tests = tests + 1 end)
  return tests
end

return choice
