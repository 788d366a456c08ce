-- `luge test`: finds test files, runs each in a process of its own, as many at
-- once as there are cores, and tells what came of them. A process that crashes,
-- hangs or is killed fails only its own file.
local native = require "luge.native.task"
local sync = require "luge.native.sync"
local testchild = require "luge.native.testchild"
local report = require "luge.internal.test_report"

-- Seconds, times --patience: between two messages of a file, beyond what it
-- announced; and for what it has printed to arrive when it has ended.
local SILENCE, DRAIN = 60, 1

-- Bytes of a file's output that are kept.
local MAX_OUTPUT = 1 << 18

-- Files.

local function find_below(folder, files)
  local entries, names = testchild.list(folder), {}
  for name in pairs(entries or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local path = (folder == "." and "" or folder:gsub("/*$", "/")) .. name
    if entries[name] == "directory" then
      if name:sub(1, 1) ~= "." then
        find_below(path, files)
      end
    elseif name:find "_test%.lua$" then
      files[#files + 1] = path
    end
  end
end

local function find_files(paths, wrong_usage)
  local files = {}
  for _, path in ipairs(#paths > 0 and paths or { "." }) do
    if testchild.list(path) then
      find_below(path, files)
    else
      local file, message = io.open(path)
      if not file then
        wrong_usage(message)
      end
      file:close()
      files[#files + 1] = path
    end
  end
  return files
end

-- What a file's process says.

local unescapes = { ["\\\\"] = "\\", ["\\n"] = "\n", ["\\t"] = "\t" }

local function fields_of(line)
  local fields = {}
  for field in (line .. "\t"):gmatch "([^\t]*)\t" do
    fields[#fields + 1] = field:gsub("\\[\\nt]", unescapes)
  end
  return fields
end

local handlers = {}

function handlers.plan(file, tests)
  file.planned = tonumber(tests)
end

function handlers.start(file, name, limit)
  file.running = name
  file.limit = tonumber(limit) + SILENCE * file.patience
end

-- "hook" ends what is no test and did not fail.
handlers["end"] = function(file, outcome, message, seconds)
  if outcome ~= "hook" then
    file.results[#file.results + 1] = { name = file.running, outcome = outcome,
      message = message, seconds = tonumber(seconds) or 0 }
  end
  file.running = nil
  file.limit = SILENCE * file.patience
end

function handlers.done(file)
  file.done = true
end

local function hear(file, text)
  file.pending = (file.pending or "") .. text
  file.pending = file.pending:gsub("([^\n]*)\n", function(line)
    local fields = fields_of(line)
    handlers[fields[1]](file, table.unpack(fields, 2))
    return ""
  end)
end

local function keep_output(file, text)
  if file.output_length < MAX_OUTPUT then
    file.output[#file.output + 1] = text:sub(1, MAX_OUTPUT - file.output_length)
    if file.output_length + #text > MAX_OUTPUT then
      file.output[#file.output + 1] = "\n(the rest of the output is left out)\n"
    end
  end
  file.output_length = file.output_length + #text
end

local function add_failure(file, text)
  file.results[#file.results + 1] = { name = file.running or "(the file)", outcome = "fail",
    message = text, seconds = 0 }
end

local function ended_how(status, signal)
  return signal ~= 0 and ("was killed by signal %d"):format(signal)
    or ("exited with status %d"):format(status)
end

local function has_failed(file)
  for _, result in ipairs(file.results) do
    if result.outcome == "fail" then
      return true
    end
  end
  return false
end

local function add_end(file, text)
  local missing = (file.planned or 0) - #file.results - (file.running and 1 or 0)
  add_failure(file, ("%s; %d more tests did not run"):format(text, math.max(missing, 0)))
end

local function judge_end(file, status, signal)
  if not file.done then
    add_end(file, "the process " .. ended_how(status, signal))
  elseif status ~= 0 and not has_failed(file) then
    add_failure(file, "the process " .. ended_how(status, signal) .. " after the tests")
  end
end

-- Until nothing more comes; returns whether the process has ended.
local function listen(file, child)
  while true do
    local ok, what, text, signal = pcall(native.timeout, file.limit, child.next, child)
    if not ok and native.is_error(what, "timeout") then
      return file.exited
    elseif not ok then
      error(what, 0)
    elseif not what then
      return true
    elseif what == "report" then
      hear(file, text)
    elseif what == "exit" then
      file.exited = { status = text, signal = signal }
      file.limit = DRAIN * file.patience
    else
      keep_output(file, text)
    end
  end
end

-- The arguments of the process that runs a file.
local function arguments_for(path, options)
  local words = { table.unpack(options.handed_on) }
  return table.move({ "test", "--child", path, tostring(options.patience or 1), options.filter },
    1, 5, #words + 1, words)
end

local function run_file(path, options)
  local patience = options.patience or 1
  local file = { path = path, results = {}, output = {}, output_length = 0,
    patience = patience, limit = SILENCE * patience }
  local started = native.now()
  local child <close> = testchild.spawn(arguments_for(path, options))
  if listen(file, child) then
    judge_end(file, file.exited.status, file.exited.signal)
  else
    add_end(file, ("it hangs: nothing was heard for %g s"):format(file.limit))
  end
  file.seconds = native.now() - started
  file.output = table.concat(file.output)
  return file
end

local function run_files(paths, options, reporter)
  local slots = sync.semaphore(options.jobs or testchild.cores)
  local files, tasks = {}, {}
  for i, path in ipairs(paths) do
    tasks[i] = native.spawn(function()
      local _ <close> = slots:hold()
      files[i] = run_file(path, options)
      reporter:file(files[i])
    end)
  end
  for _, task in ipairs(tasks) do
    task:await()
  end
  return files
end

local function write_junit(path, files)
  local ok, err = pcall(function()
    local out <close> = require("luge.fs").open(path, "w")
    report.junit(out, files)
  end)
  if not ok then
    io.stderr:write("luge test: ", tostring(err), "\n")
    os.exit(1)
  end
end

local function tell_that_none_ran(filter)
  io.stderr:write("luge test: ", filter and ("no test's name holds '%s'"):format(filter)
    or "there are no tests", "\n")
end

---@param ... string the arguments of the command
return function(...)
  local arguments = { ... }
  if arguments[1] == "--child" then
    return require("luge.internal.test_run").run(arguments[2], tonumber(arguments[3]),
      arguments[4])
  end
  local test_options = require "luge.internal.test_options"
  local options, paths = test_options.parse(arguments)
  if options.help then
    io.write(test_options.usage)
    return
  end
  paths = find_files(paths, test_options.wrong_usage)
  options.verbose = options.verbose or #paths == 1
  options.color = testchild.is_terminal() and not os.getenv "NO_COLOR"
  local reporter = report.new(options)
  local files = run_files(paths, options, reporter)
  if options.junit then
    write_junit(options.junit, files)
  end
  local passed = reporter:close()
  if reporter:is_empty() then
    tell_that_none_ran(options.filter)
  end
  if not passed then
    os.exit(1)
  end
end
