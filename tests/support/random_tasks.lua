-- Random programs of tasks, on a virtual clock: run as
--
--   luge tests/support/random_tasks.lua FIRST LAST
--
-- for the seeds from FIRST to LAST, by tests/lua/schedule_test.lua. Stops at the
-- first seed that breaks a rule, and names it; else ends with the line "ok". A
-- seed always gives the same program and the same schedule.
--
-- Errors that programs raise at random have numbers. Whoever gets one notes it;
-- at the end the numbers that nobody got are written down: these must have been
-- reported on standard error.
local luge = require "luge"
local clock = require "luge.native.clock"
local generator = dofile "tests/support/generator.lua"

local MS = 0.001
local LENGTH = 50 * MS -- of a program; then all that lives is cancelled
local MAX_TASKS, MAX_DEPTH = 120, 5

-- The world that one seed's tasks share.

local world
local errors = 0 -- raised so far, over all seeds
local unseen = {}

local function new_world(seed)
  local new = { seed = seed, tasks = {}, queues = {}, semaphores = {}, futures = {},
    event = luge.event(), opened = 0, closed = 0 }
  for i, capacity in ipairs { 1, 3, false } do
    new.queues[i] = { queue = luge.queue(capacity or nil), put = 0, got = 0, items = 0,
      handed = 0, taken = 0, getters = { asked = 0, served = 0 },
      putters = { asked = 0, served = 0 } }
  end
  for i, n in ipairs { 1, 2 } do
    local semaphore = i == 1 and luge.lock() or luge.semaphore(n)
    new.semaphores[i] = { semaphore = semaphore, n = n, inside = 0,
      waiters = { asked = 0, served = 0 } }
  end
  for i = 1, 3 do
    new.futures[i] = luge.future()
  end
  return new
end

local function broken(text, ...)
  io.stdout:write(("seed %d: "):format(world.seed), text:format(...), "\n", debug.traceback(), "\n")
  io.stdout:flush()
  os.exit(1)
end

local function check(ok, ...)
  if not ok then
    broken(...)
  end
end

-- Whoever waits is served in the order of asking, unless it gave up.
local function ask(line)
  line.asked = line.asked + 1
  return line.asked
end

local function serve(line, ticket)
  check(ticket > line.served, "ticket %d was served after %d", ticket, line.served)
  line.served = ticket
end

-- What a task, or a pcall, was given as an error.
local function note(err)
  if luge.is_error(err, "random") then
    unseen[err.number] = nil
  elseif not luge.is_error(err) then
    broken("unexpected error: %s", tostring(err))
  elseif err.kind ~= "cancelled" and err.kind ~= "timeout" then
    broken("unexpected error: %s\n%s", tostring(err), err.traceback or "")
  end
end

local function guard()
  local open = true
  world.opened = world.opened + 1
  return setmetatable({}, { __close = function()
    check(open, "a handler ran twice")
    open = false
    world.closed = world.closed + 1
  end })
end

-- Tasks. A context is what a piece of program knows: its random numbers, the
-- record of its task, the innermost block around it, and what it may do.

local run

local function new_context(from, block)
  return setmetatable({ block = block, kids = {}, scope = false }, { __index = from })
end

local function check_owner(context)
  local owner = context.record.owner
  check(owner.open, "task %d outlived its block", context.record.id)
  check(not (owner.record and owner.record.task:done()), "task %d outlived its owner",
    context.record.id)
end

local function main(record, context)
  check(not record.started, "task %d began twice", record.id)
  record.started = true
  local _ <close> = guard()
  run(context)
  return record.id
end

local function spawn(context, how)
  if #world.tasks >= MAX_TASKS or context.depth >= MAX_DEPTH then
    return nil
  end
  local record = { id = #world.tasks + 1, owner = context.block }
  local block = { open = true, record = record }
  local inner = new_context(context, block)
  inner.record, inner.depth = record, context.depth + 1
  inner.random = generator(world.seed * 1000 + record.id)
  world.tasks[record.id] = record
  record.task = how(main, record, inner)
  context.kids[#context.kids + 1] = record
  return record
end

-- Runs a piece of program in a block, such as `timeout`, that `enter` opens.
local function in_block(context, enter)
  local block = { open = true, record = context.record }
  local inner = new_context(context, block)
  inner.depth = context.depth + 1
  local _ <close> = setmetatable({}, { __close = function() block.open = false end })
  return enter(inner)
end

local function nested(context)
  local inner = setmetatable({ depth = context.depth + 1 }, { __index = context })
  run(inner)
end

local function any_task(context)
  return world.tasks[context.random(#world.tasks)]
end

-- What a program does, by name.
local actions = {}

function actions.sleep(context)
  local choices = { 0, 0, MS, 2 * MS, 4 * MS }
  luge.sleep(choices[context.random(#choices)])
end

function actions.spawn(context)
  spawn(context, luge.spawn)
end

function actions.await(context)
  local record = #context.kids > 0 and context.kids[context.random(#context.kids)]
    or any_task(context)
  if record.task and record ~= context.record then
    local ok, result = pcall(luge.await, record.task)
    if ok then
      check(result == record.id, "the result of another task")
    else
      note(result)
    end
    luge.sleep(0) -- raises if it was this task that was cancelled
  end
end

function actions.cancel(context)
  local record = any_task(context)
  if record.task then
    record.task:cancel("random")
  end
end

function actions.fail(context)
  if context.may_fail then
    errors = errors + 1
    unseen[errors] = true
    error(luge.error { kind = "random", number = errors, message = "number " .. errors })
  end
end

function actions.put(context)
  local this = world.queues[context.random(#world.queues)]
  this.items = this.items + 1
  local item = this.items
  if this.queue:try_put(item) then
    this.put = this.put + 1
    return
  end
  local ticket = ask(this.putters)
  this.queue:put(item)
  this.put = this.put + 1
  serve(this.putters, ticket)
end

function actions.get(context)
  local this = world.queues[context.random(#world.queues)]
  local ok, item = this.queue:try_get()
  if ok then
    this.got = this.got + 1
    check(item > this.taken, "item %d was taken after %d", item, this.taken)
    this.taken = item
    return
  end
  local ticket = ask(this.getters)
  item = this.queue:get()
  this.got = this.got + 1
  serve(this.getters, ticket)
  check(item > this.handed, "item %d was handed over after %d", item, this.handed)
  this.handed = item
end

function actions.hold(context)
  local this = world.semaphores[context.random(#world.semaphores)]
  if context["holds " .. this.n] then
    return -- a task that asks for the same lock twice is its own fault
  end
  local ticket
  if not this.semaphore:try_acquire() then
    ticket = ask(this.waiters)
    this.semaphore:acquire()
    serve(this.waiters, ticket)
  end
  this.inside = this.inside + 1
  check(this.inside <= this.n, "%d hold what %d may", this.inside, this.n)
  local _ <close> = setmetatable({}, { __close = function()
    this.inside = this.inside - 1
    this.semaphore:release()
  end })
  local inner = setmetatable({ depth = context.depth + 1, ["holds " .. this.n] = true },
    { __index = context })
  run(inner)
end

function actions.timeout(context)
  local ok, err = pcall(in_block, context, function(inner)
    luge.timeout(context.random(6) * MS, run, inner)
  end)
  if not ok then
    note(err)
    if err.kind ~= "timeout" then
      error(err, 0)
    end
  end
end

function actions.shield(context)
  in_block(context, function(inner)
    luge.shield(function()
      local ok, err = pcall(luge.timeout, 3 * MS, run, inner)
      if not ok then
        note(err)
      end
    end)
  end)
end

function actions.scope(context)
  local kept
  local ok, err = pcall(in_block, context, function(inner)
    luge.scope(function(scope)
      kept = scope
      inner.scope = scope
      spawn(inner, function(...) return scope:spawn(...) end)
      run(inner)
    end)
  end)
  for _, each in ipairs(kept and kept.errors or {}) do
    note(each)
  end
  if not ok then
    note(err)
    luge.sleep(0)
  end
end

function actions.cancel_scope(context)
  if context.scope then
    context.scope:cancel("random")
  end
end

function actions.protect(context)
  local ok, err = pcall(nested, context)
  if not ok then
    note(err)
    if err.kind == "cancelled" then
      local waited, again = pcall(luge.sleep, 0)
      check(not waited and again.kind == "cancelled", "a cancellation was swallowed")
      error(err, 0)
    end
  end
end

function actions.close(context)
  local _ <close> = guard()
  local _ <close> = setmetatable({}, { __close = function()
    local _ <close> = guard()
    luge.shield(luge.sleep, context.random(2) * MS)
  end })
  nested(context)
end

function actions.coroutine(context)
  coroutine.wrap(nested)(context)
end

function actions.generator(context)
  for _ in coroutine.wrap(function()
    local _ <close> = setmetatable({}, { __close = function() end })
    for i = 1, 3 do
      nested(context)
      coroutine.yield(i)
    end
  end) do
    luge.sleep(0)
  end
end

function actions.event(context)
  local event, choice = world.event, context.random(4)
  if choice == 1 then
    event:set()
  elseif choice == 2 then
    event:clear()
  else
    event:wait()
  end
end

function actions.future(context)
  local future = world.futures[context.random(#world.futures)]
  if context.random(2) == 1 and not future:done() then
    future:resolve("settled")
  else
    check(luge.await(future) == "settled", "a future's result")
  end
end

local function without_errors(context)
  return setmetatable({ may_fail = false, depth = context.depth + 1 }, { __index = context })
end

function actions.gather(context)
  in_block(context, function(inner)
    local quiet = without_errors(inner)
    luge.gather({
      function() luge.sleep(context.random(3) * MS) end,
      function() nested(quiet) end,
    })
  end)
end

function actions.race(context)
  local index = luge.race {
    function() luge.sleep(context.random(3) * MS) end,
    function() luge.sleep(context.random(3) * MS) end,
  }
  check(index == 1 or index == 2, "the winner of a race")
end

function actions.stream(context)
  local last = context.random(4)
  for i in luge.stream(function(emit)
    local _ <close> = guard()
    for i = 1, 4 do
      luge.sleep(context.random(2) * MS - MS)
      emit(i)
    end
  end) do
    luge.sleep(0)
    if i == last then
      break
    end
  end
end

local names = {}
for name in pairs(actions) do
  names[#names + 1] = name
end
table.sort(names)
-- The usual is more frequent than the fatal.
for _, name in ipairs { "sleep", "sleep", "spawn", "spawn", "put", "get", "await" } do
  names[#names + 1] = name
end

function run(context)
  if context.depth > MAX_DEPTH then
    return
  end
  for _ = 1, context.random(8) do
    check_owner(context)
    actions[names[context.random(#names)]](context)
  end
end

-- One seed.

local function check_task(record)
  local status = record.task:status()
  check(status == "done" or status == "failed" or status == "cancelled",
    "task %d is %s at the end", record.id, status)
  check(record.started or status == "cancelled", "task %d never ran, and is %s", record.id, status)
end

local function check_world()
  for _, record in ipairs(world.tasks) do
    check_task(record)
  end
  for i, this in ipairs(world.queues) do
    local left = this.queue:len()
    check(this.put == this.got + left, "queue %d: %d put, %d got, %d left", i, this.put, this.got,
      left)
  end
  for i, this in ipairs(world.semaphores) do
    for permit = 1, this.n do
      check(this.semaphore:try_acquire(), "semaphore %d: permit %d is lost", i, permit)
    end
    check(not this.semaphore:try_acquire(), "semaphore %d has a permit too many", i)
  end
  check(world.closed == world.opened, "%d handlers ran of %d", world.closed, world.opened)
end

local function play(seed)
  world = new_world(seed)
  local random = generator(seed)
  local context = { random = random, kids = {}, depth = 0, may_fail = true,
    block = { open = true } }
  for _ = 1, 4 + random(8) do
    spawn(context, luge.spawn)
  end
  luge.sleep(LENGTH)
  for _, record in ipairs(world.tasks) do
    record.task:cancel("the end")
  end
  for _, record in ipairs(world.tasks) do
    local ok, err = pcall(luge.await, record.task)
    if not ok then
      note(err)
    end
  end
  check_world()
  world.tasks = {}
  luge.sleep(0)
  local alive = #luge.tasks()
  check(alive == 1, "%d tasks live on", alive - 1)
end

local first, last = math.tointeger(arg[1]), math.tointeger(arg[2])
clock.install()
for seed = first, last do
  play(seed)
  collectgarbage()
end
clock.remove()
local numbers = {}
for number in pairs(unseen) do
  numbers[#numbers + 1] = number
end
table.sort(numbers)
print("raised " .. errors)
print("unseen " .. table.concat(numbers, " "))
print "ok"
