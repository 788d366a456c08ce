-- Runs the tests of one file, in a process of their own, and reports each to the
-- process that started this one: lines of fields separated by tabs, which
-- test_command.lua reads. One test runs at a time, as a task of its own.
local native = require "luge.native.task"

-- The module is only for this file: if the tests are restricted, they must not
-- reach it.
local testrun = {}
for name, value in pairs(require "luge.native.testrun") do
  testrun[name] = value
end

local clock = require "luge.native.clock"
local choice = require "luge.internal.test_choice"
local failure = require "luge.internal.test_failure"
local resources = require "luge.internal.test_resources"
local suite = require "luge.internal.test_suite"
local test = require "luge.test"

local protect, trim = failure.protect, failure.trim

-- All times are multiplied for slow builds, and as --patience says.
local patience = testrun.patience

local DEFAULT_TIMEOUT = 5
local grace = 5     -- seconds that a cancelled test has to end
local SETTLING = 50 -- milliseconds for what was closed or cancelled to end

local escapes = { ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t" }

local function report(...)
  local fields = table.pack(...)
  for i = 1, fields.n do
    fields[i] = tostring(fields[i]):gsub("[\\\n\t]", escapes)
  end
  testrun.report(table.concat(fields, "\t") .. "\n")
end

-- Whether `settled()` becomes true by itself within a moment.
local function settles(settled)
  for i = 1, SETTLING * patience do
    if settled() then
      return true
    end
    native.sleep(i < 5 and 0 or 0.001)
  end
  return settled()
end

-- Looks for tasks that are left. Runs inside the test's task, when its function
-- has returned.
local function check_tasks(task, problems)
  local function none_left()
    return #testrun.descendants(task) == 0
  end
  if settles(none_left) then
    return
  end
  for _, left in ipairs(testrun.descendants(task)) do
    problems[#problems + 1] = ("left a task alive: %s waits for %s\n%s"):format(
      left:name(), left:waiting_for() or "its turn", trim(left:traceback() or ""))
    left:cancel("the test has ended")
  end
end

local function run_hooks(hooks, problems)
  for i = #hooks, 1, -1 do
    protect(problems, hooks[i])
  end
end

local function run_before_each(group)
  if group.parent then
    run_before_each(group.parent)
  end
  for _, hook in ipairs(group.before_each) do
    hook()
  end
end

local closing = { __close = function(self, err) self.fn(err) end }

-- The inner groups' after_each first, each group's last declared first.
local function run_after_each(group, problems)
  while group do
    run_hooks(group.after_each, problems)
    group = group.parent
  end
end

local function test_body(entry, problems)
  local opened = resources.open(problems)
  local _ <close> = setmetatable({ fn = function(err)
    native.shield(function()
      run_after_each(entry.group, problems)
      resources.close(opened, protect)
      if err == nil then
        check_tasks(native.current(), problems)
      end
    end)
  end }, closing)
  run_before_each(entry.group)
  entry.fn()
end

-- Waits for a task or a future; says whether it was settled in time. `task` is
-- described if it was not.
local function watch(awaitable, task, limit, problems)
  local ok, settled, interrupted = pcall(testrun.watch, awaitable, limit)
  if ok and interrupted then
    problems[#problems + 1] = ("timed out after %g s, computing"):format(limit)
    return settled
  elseif ok and settled then
    return true
  elseif ok then
    problems[#problems + 1] = ("timed out after %g s, waiting for %s\n%s"):format(limit,
      task:waiting_for() or "its turn", trim(task:traceback() or ""))
  elseif native.is_error(settled, "deadlock") then
    problems[#problems + 1] = ("%s\n%s"):format(settled.message, trim(task:traceback() or ""))
  else
    error(settled, 0)
  end
  return false
end

-- A task that does not end though it is cancelled: the other tests cannot be
-- run.
local function give_up()
  report("end", "fail", "it did not end when it was cancelled")
  testrun.give_up()
end

local function cancel(task, reason)
  task:cancel(reason)
  local ok, settled = pcall(testrun.watch, task, grace)
  if not (ok and settled) then
    give_up()
  end
end

local function note_outcome(task, problems)
  local ok, err = pcall(task.await, task)
  if not ok and native.is_error(err, "cancelled") and err.reason == "interrupted" then
    problems[#problems + 1] = trim(err.traceback or "")
  elseif not ok and (#problems == 0 or not native.is_error(err, "cancelled")) then
    table.insert(problems, 1, failure.describe(err, task:traceback()))
  end
end

-- The demo model goes on for a while by itself.
local function close_demo()
  local demo = package.loaded["luge.internal.llm.demo"]
  if demo then
    demo.close()
  end
end

-- The tasks that were detached since: no task's end waits for them.
local function detached_since(known)
  local left, owned = {}, { [native.current()] = true }
  for _, task in ipairs(testrun.descendants(native.current())) do
    owned[task] = true
  end
  for _, task in ipairs(native.tasks()) do
    if not known[task] and not owned[task] then
      left[#left + 1] = task
    end
  end
  return left
end

local function live_tasks()
  local known = {}
  for _, task in ipairs(native.tasks()) do
    known[task] = true
  end
  return known
end

local function note_detached(known, problems)
  if settles(function() return #detached_since(known) == 0 end) then
    return
  end
  for _, left in ipairs(detached_since(known)) do
    problems[#problems + 1] = ("left a detached task alive: %s waits for %s\n%s"):format(
      left:name(), left:waiting_for() or "its turn", trim(left:traceback() or ""))
    left:cancel("the test has ended")
  end
end

local function note_leftovers(refs, handles, problems)
  if clock.remove() then
    problems[#problems + 1] = "left a virtual clock in place"
  end
  local now_refs, now_handles
  local settled = settles(function()
    now_refs, now_handles = testrun.open()
    return now_refs <= refs and now_handles <= handles
  end)
  if not settled and now_refs > refs then
    problems[#problems + 1] = ("left %d operations or listeners open"):format(now_refs - refs)
  elseif not settled then
    problems[#problems + 1] = ("left %d sockets, processes or watchers open"):format(
      now_handles - handles)
  end
  collectgarbage()
  if testrun.reported() then
    problems[#problems + 1] = "an error that nobody awaited was reported: see the file's output"
  end
end

local function finish(problems, started)
  report("end", #problems == 0 and "pass" or "fail", table.concat(problems, "\n"),
    ("%.3f"):format(native.now() - started))
end

local function run_test(entry)
  local problems = {}
  local limit = (entry.timeout or DEFAULT_TIMEOUT) * patience
  report("start", choice.full_name(entry), limit + grace)
  local refs, handles = testrun.open()
  local known = live_tasks()
  local started = native.now()
  local task = native.spawn(test_body, entry, problems)
  task:name("the test")
  if not watch(task, task, limit, problems) then
    cancel(task, "the test has timed out")
  end
  note_outcome(task, problems)
  close_demo()
  note_detached(known, problems)
  note_leftovers(refs, handles, problems)
  finish(problems, started)
end

local function skip(entry, reason)
  report("start", choice.full_name(entry), 0)
  report("end", "skip", reason, 0)
end

-- What the hooks of a group start lives in a task of the group's.
local function group_body(group, state)
  state.opened = resources.open(state.problems)
  local _ <close> = setmetatable({ fn = function()
    if not state.up then
      native.shield(resources.close, state.opened, protect)
      state.ready:resolve()
    end
  end }, closing)
  for _, hook in ipairs(group.before) do
    hook()
  end
  state.up = true
  state.ready:resolve()
  state.finish:await()
  run_hooks(group.after, state.problems)
  resources.close(state.opened, protect)
  check_tasks(native.current(), state.problems)
end

local function open_group(group)
  local state = { ready = native.future(), finish = native.future(), problems = {} }
  state.refs, state.handles = testrun.open()
  local limit = DEFAULT_TIMEOUT * patience
  report("start", choice.full_name(group) .. " (before)", limit + grace)
  state.task = native.spawn(group_body, group, state)
  state.task:name("the group's hooks")
  local started = native.now()
  watch(state.ready, state.task, limit, state.problems)
  if not state.up then
    cancel(state.task, "the hooks have timed out")
    note_outcome(state.task, state.problems)
    finish(state.problems, started)
    return nil
  end
  report("end", "hook")
  return state
end

local function close_group(group, state)
  local limit = DEFAULT_TIMEOUT * patience
  local started = native.now()
  report("start", choice.full_name(group) .. " (after)", limit + grace)
  state.finish:resolve()
  if not watch(state.task, state.task, limit, state.problems) then
    cancel(state.task, "the hooks have timed out")
  end
  note_outcome(state.task, state.problems)
  note_leftovers(state.refs, state.handles, state.problems)
  if #state.problems > 0 then
    finish(state.problems, started)
  else
    report("end", "hook")
  end
end

local run_group

local function run_entries(group)
  for _, entry in ipairs(group.entries) do
    if not entry.test then
      run_group(entry)
    elseif entry.skip then
      skip(entry, entry.skip == true and "" or entry.skip)
    else
      run_test(entry)
    end
  end
end

local function skip_entries(group, reason)
  for _, entry in ipairs(group.entries) do
    if entry.test then
      skip(entry, reason)
    else
      skip_entries(entry, reason)
    end
  end
end

function run_group(group)
  if #group.before + #group.after == 0 or not choice.has_tests_to_run(group) then
    return run_entries(group)
  end
  local state = open_group(group)
  if not state then
    return skip_entries(group, "the group's `before` failed")
  end
  run_entries(group)
  close_group(group, state)
end

local function publish_globals()
  for _, name in ipairs { "describe", "it", "before", "after", "before_each", "after_each" } do
    _G[name] = test[name]
  end
end

local chunk, message -- the file that `read` has read, or why it could not

local function load_file(path, root)
  local problems = { message }
  publish_globals()
  _G.arg = { [0] = path }
  if chunk then
    protect(problems, chunk, path)
  end
  suite.close()
  if #problems == 0 and choice.count(root) == 0 then
    problems[1] = "it declares no tests"
  end
  if #problems > 0 then
    report("start", "(the file)", 0)
    report("end", "fail", problems[1], 0)
    root.entries = {}
  end
end

local test_run = {}

--- Reads the file: before its process gives up what the tests may not do.
---@param path string
function test_run.read(path)
  chunk, message = loadfile(path)
end

--- Runs its tests.
---@param path string
---@param longer integer times as long as tests may take
---@param filter? string
function test_run.run(path, longer, filter)
  native.current():name "the runner"
  patience, grace = patience * longer, grace * longer
  local root = suite.open()
  load_file(path, root)
  if filter then
    choice.apply_filter(root, filter)
  end
  choice.apply_only(root)
  report("plan", choice.count(root))
  run_group(root)
  report("done")
end

return test_run
