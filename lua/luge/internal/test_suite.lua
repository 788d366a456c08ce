-- What a test file declares: a tree of groups, each with tests and hooks. There
-- is one tree in a process, made by test_run.lua before it loads the file.
local native = require "luge.native.task"

local suite = {}

---@class luge.internal.test.Group
---@field name string
---@field parent luge.internal.test.Group?
---@field entries table[] tests and groups, in order
---@field before function[]
---@field after function[]
---@field before_each function[]
---@field after_each function[]

local root, current

local function new_group(name, parent)
  return { name = name, parent = parent, entries = {}, before = {}, after = {},
    before_each = {}, after_each = {} }
end

local function invalid(text, ...)
  error(native.error { kind = "invalid", message = text:format(...) }, 3)
end

local function check(what, name, fn)
  if not current then
    invalid("%s: tests are declared in a file that `luge test` runs, "
      .. "while it is loaded", what)
  elseif type(name) ~= "string" then
    invalid("%s: argument 1 is a %s; takes a name", what, type(name))
  elseif type(fn) ~= "function" then
    invalid("%s %q: argument 2 is a %s; takes a function", what, name, type(fn))
  end
end

local option_types = {
  timeout = { number = true },
  skip = { boolean = true, string = true },
  only = { boolean = true },
}

local function check_options(name, options)
  if options == nil then
    return {}
  elseif type(options) ~= "table" then
    invalid("it %q: argument 3 is a %s; takes a table of options", name, type(options))
  end
  for key, value in pairs(options) do
    local types = option_types[key]
    if not types then
      invalid("it %q: unknown option %q; takes timeout, skip, only", name, tostring(key))
    elseif not types[type(value)] then
      invalid("it %q: option %s is a %s", name, key, type(value))
    end
  end
  local timeout = options.timeout
  if timeout and (timeout ~= timeout or timeout <= 0) then
    invalid("it %q: option timeout is %s; takes seconds, more than 0", name, timeout)
  end
  return options
end

function suite.describe(name, fn)
  check("describe", name, fn)
  local group = new_group(name, current)
  current.entries[#current.entries + 1] = group
  current = group
  fn()
  current = group.parent
end

function suite.it(name, fn, options)
  check("it", name, fn)
  options = check_options(name, options)
  current.entries[#current.entries + 1] = { test = true, name = name, fn = fn, group = current,
    timeout = options.timeout, skip = options.skip, only = options.only }
end

local function hook(kind)
  return function(fn)
    if not current then
      invalid("%s: hooks are declared in a file that `luge test` runs", kind)
    elseif type(fn) ~= "function" then
      invalid("%s: argument 1 is a %s; takes a function", kind, type(fn))
    end
    local list = current[kind]
    list[#list + 1] = fn
  end
end

suite.before = hook "before"
suite.after = hook "after"
suite.before_each = hook "before_each"
suite.after_each = hook "after_each"

--- Opens the tree for declarations; returns its root.
---@return luge.test.Group
function suite.open()
  root = new_group(nil, nil)
  current = root
  return root
end

function suite.close()
  current = nil
end

--- The names from the outermost group on.
---@return string[]
function suite.path(entry)
  local names = { entry.name }
  local group = entry.group or entry.parent
  while group and group.name do
    table.insert(names, 1, group.name)
    group = group.parent
  end
  return names
end

return suite
