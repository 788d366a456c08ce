-- `luge help`: prints entries of the reference, which is compiled into the
-- command.
local native = require "luge.native.terminal"
local pages = require "luge.internal.help_pages"
local new_text = require "luge.internal.help_text"

local usage = table.concat({
  "usage: luge help [NAME...]",
  "",
  "Prints what the reference says of a module, a function, a class or a method:",
  "`luge help http`, `luge help http.get`, `luge help Stream:map`. Without a NAME",
  "it lists the modules.",
}, "\n") .. "\n"

local MAX_WIDTH, DEFAULT_WIDTH, LEAST_WIDTH = 100, 80, 24
local SUGGESTIONS = 5

local function width()
  local columns = native.width(1) or tonumber(os.getenv "COLUMNS") or DEFAULT_WIDTH
  return math.max(LEAST_WIDTH, math.min(MAX_WIDTH, columns // 1))
end

local function list_modules(text, entries)
  text:wrap("The modules of luge. `luge help NAME` says more of each, and of what is in it.",
    "", "")
  for _, entry in ipairs(entries) do
    if entry.level == 1 then
      text:space()
      text:brief(entry)
    end
  end
end

local function list_found(text, name, found)
  text:wrap(("%d entries are called %s:"):format(#found, name), "", "")
  for _, entry in ipairs(found) do
    text:space()
    text:wrap(text:bold(entry.name), "  ", "")
    text:brief(entry)
  end
end

local function complain(entries, name)
  local names = pages.suggest(entries, name, SUGGESTIONS)
  io.stderr:write(("luge help: the reference has no '%s'%s\n"):format(name,
    #names > 0 and "; did you mean " .. table.concat(names, ", ") .. "?" or
    "; `luge help` lists the modules"))
end

-- Whether there is an entry.
local function explain(text, entries, name)
  local found = pages.find(entries, name)
  if #found == 0 then
    complain(entries, name)
    return false
  elseif #found > 1 then
    list_found(text, name, found)
  else
    text:entry(found[1])
  end
  return true
end

return function(...)
  local names = { ... }
  if names[1] == "--help" or names[1] == "-h" then
    io.write(usage)
    return
  end
  local entries = pages.read(require "luge.reference")
  local text = new_text(width(), native.is_terminal(1))
  local all_found = true
  if #names == 0 then
    list_modules(text, entries)
  end
  for _, name in ipairs(names) do
    text:space()
    all_found = explain(text, entries, name) and all_found
  end
  if #text > 0 then
    io.write(text:string())
  end
  if not all_found then
    os.exit(1)
  end
end
