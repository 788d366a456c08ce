-- The options of `luge test`, and those of luge itself that are handed on to the
-- process of each file.
local command = require "luge.command.build"

-- Not a long string: when modules are compiled in, lines that begin with two
-- dashes are left out as comments.
local usage = table.concat({
  "usage: luge test [OPTION...] [PATH...]",
  "",
  "Runs the tests in files, and in the files named *_test.lua below folders;",
  "without a PATH, below the current one. See `luge help luge.test`.",
  "",
  "  --filter TEXT   only tests whose name, with its groups', holds TEXT",
  "  --jobs N        at most N files at once; default: the number of cores",
  "  --junit FILE    write a report for CI systems, in JUnit's XML format",
  "  --patience N    tests may take N times as long, on machines that are busy",
  "  --tap           print the results in the Test Anything Protocol",
  "  --verbose       name every test, not only those that fail",
  "  --help          print this",
  "",
  "--env-file, --memory-limit, --slow, --sandbox, --allow-*, --deny-* and --audit",
  "hold for the tests of each file: see `luge --help`.",
}, "\n") .. "\n"

local function wrong_usage(text)
  io.stderr:write("luge test: ", text, " (see luge test --help)\n")
  os.exit(2)
end

local takes_value = {
  ["--filter"] = "filter", ["--jobs"] = "jobs", ["--junit"] = "junit",
  ["--patience"] = "patience",
}
local flags = { ["--tap"] = "tap", ["--verbose"] = "verbose", ["--help"] = "help" }

-- Options of luge that take a value and are handed on to the processes.
local handed_with_value = {
  ["--env-file"] = true, ["--memory-limit"] = true, ["--slow"] = true, ["--audit"] = true,
}

-- Hands the option at `i` on, if it is one of those; returns how many words it
-- has.
local function hand_on(words, i, list)
  local name = words[i]:match "^%-%-[%w-]+" or ""
  local count = handed_with_value[name] and name == words[i] and 2 or 1
  if handed_with_value[name] or name == "--sandbox" or name:find "^%-%-allow%-"
    or name:find "^%-%-deny%-" then
    table.move(words, i, math.min(i + count - 1, #words), #list + 1, list)
    return count
  end
end

-- Adds the options that stand before `test`.
local function handed_before()
  local first, list, i = 0, {}, 1
  while arg[first - 1] do
    first = first - 1
  end
  local words = table.move(arg, first + 1, -1, 1, {})
  while i <= #words do
    i = i + (hand_on(words, i, list) or 1)
  end
  return list
end

-- Takes the option of `luge test` at `i`; returns how many words it has.
local function parse_option(words, i, options)
  local name, value = words[i]:match "^(%-%-%w+)=(.*)$"
  local field = takes_value[name or words[i]]
  if field then
    options[field] = value or words[i + 1] or wrong_usage(words[i] .. " takes a value")
    return value and 1 or 2
  elseif not flags[words[i]] then
    wrong_usage("unknown option " .. words[i])
  end
  options[flags[words[i]]] = true
  return 1
end

local function parse(words)
  local options, paths, i = { handed_on = handed_before() }, {}, 1
  while i <= #words and words[i] ~= "--" do
    if words[i]:sub(1, 1) ~= "-" then
      paths[#paths + 1] = words[i]
      i = i + 1
    else
      i = i + (hand_on(words, i, options.handed_on) or parse_option(words, i, options))
    end
  end
  table.move(words, i + 1, #words, #paths + 1, paths)
  return options, paths
end

local function check_number(options, name)
  local text = options[name]
  local number = text and math.tointeger(tonumber(text))
  if text and (not number or number < 1) then
    wrong_usage(("--%s takes a number, from 1"):format(name))
  end
  options[name] = number
end

local test_options = { wrong_usage = wrong_usage, usage = usage }

--- Ends the program, with status 2, if something is wrong.
---@param words string[]
---@return table options
---@return string[] paths
function test_options.parse(words)
  local options, paths = parse(words)
  check_number(options, "jobs")
  check_number(options, "patience")
  if not command.check(options.handed_on) then
    os.exit(2)
  end
  return options, paths
end

return test_options
