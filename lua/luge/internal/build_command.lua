-- `luge build`: one executable of luge, a script, and the modules that it
-- requires. See src/cli/app.h for how they are put together.
local build = require "luge.command.build"
local fs = require "luge.fs"
local tasks = require "luge.native.task"
local scan = require "luge.internal.build_scan"

-- Not a long string: when modules are compiled in, lines that begin with two
-- dashes are left out as comments.
local usage = table.concat({
  "usage: luge build [OPTION...] FILE -o APP",
  "",
  "Makes one executable of luge, the script FILE, and the modules that it, and",
  "they, require by name. All arguments of APP are the script's.",
  "",
  "  -o APP             the executable; an old one is replaced",
  "  --include MODULE   put this module in too; may be given more than once",
  "  --timeout, --slow, --memory-limit, --sandbox, --allow-..., --deny-...,",
  "  --audit            APP runs as luge does with them: see luge --help",
  "  --help             print this",
}, "\n") .. "\n"

local MAX_SIZE <const> = 1 << 30

local function wrong_usage(text, ...)
  io.stderr:write("luge build: ", text:format(...), " (see luge build --help)\n")
  os.exit(2)
end

local function fail(text, ...)
  io.stderr:write("luge build: ", text:format(...), "\n")
  os.exit(1)
end

local function warn(text, ...)
  io.stderr:write("luge build: warning: ", text:format(...), "\n")
end

local function message_of(err)
  return tasks.is_error(err) and err.message or tostring(err)
end

-- Options.

-- Options of luge that become part of the executable, and whether they take a
-- value.
local baked = {
  ["--timeout"] = true, ["--slow"] = true, ["--memory-limit"] = true, ["--audit"] = true,
  ["--sandbox"] = false,
}

local function is_permission(name)
  return name:find "^%-%-allow%-%l+$" or name:find "^%-%-deny%-%l+$"
end

local function takes_value(name)
  return name == "-o" or name == "--include" or baked[name]
end

-- Takes the option at `i`; returns how many words it has.
local function take_option(words, i, options)
  local name, value = words[i]:match "^(%-%-[^=]+)=(.*)$"
  name = name or words[i]
  local count = 1
  if not value and takes_value(name) then
    value = words[i + 1] or wrong_usage("%s needs a value", name)
    count = 2
  end
  if name == "-o" then
    options.output = value
  elseif name == "--include" then
    table.insert(options.include, value)
  elseif name == "--help" then
    options.help = true
  elseif baked[name] ~= nil or is_permission(name) then
    table.move(words, i, i + count - 1, #options.baked + 1, options.baked)
  else
    wrong_usage("unknown option '%s'", words[i])
  end
  return count
end

local function take_file(word, options)
  if options.file then
    wrong_usage("one script is built at a time, not '%s' and '%s'", options.file, word)
  end
  options.file = word
end

local function parse(words)
  local options, i = { include = {}, baked = {} }, 1
  while i <= #words and words[i] ~= "--" do
    if words[i]:sub(1, 1) == "-" and words[i] ~= "-" then
      i = i + take_option(words, i, options)
    else
      take_file(words[i], options)
      i = i + 1
    end
  end
  for j = i + 1, #words do
    take_file(words[j], options)
  end
  return options
end

local function check(options)
  if not options.file then
    wrong_usage "which script is to be built?"
  elseif not options.output then
    wrong_usage "how is the executable to be called? -o APP says so"
  elseif not build.check(options.baked) then
    os.exit(2)
  end
end

-- Sources.

-- The text as Lua is to see it: without a byte order mark, and without the text
-- of a first line that begins with "#".
local function read_source(path)
  local ok, text = pcall(fs.read, path)
  if not ok then
    fail("%s", message_of(text))
  end
  text = text:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\n]*", "")
  if text:sub(1, 1) == "\27" then
    fail("%s is compiled Lua: source text is needed", path)
  end
  local chunk, reason = load(text, "@" .. path, "t")
  if not chunk then
    fail("%s", reason)
  end
  return text
end

local standard = {}
for name in ("_G coroutine debug io math os package string table utf8"):gmatch "%S+" do
  standard[name] = true
end

local function is_built_in(name)
  return standard[name] or name == "luge" or name:find "^luge%." ~= nil
    or package.preload[name] ~= nil
end

local function report_missing(name, where)
  if package.searchpath(name, package.cpath) then
    warn("%s: '%s' is a C module, which is left out: it must be there when the script runs",
      where, name)
  else
    warn("%s: there is no module '%s': it must be there when the script runs", where, name)
  end
end

-- `require` looks beside the script first, as it does where luge runs it.
local function set_path(script)
  local folder = script:match "^(.*)/" or "."
  if not folder:find "[;?]" then
    package.path = ("%s/?.lua;%s/?/init.lua;%s"):format(folder, folder, package.path)
  end
end

-- What is needed is collected in `found`: `list` has modules { name, path, text },
-- `seen` the names that were dealt with.
local function add_module(found, name, path)
  found.seen[name] = true
  table.insert(found.list, { name = name, path = path, text = read_source(path) })
end

local function add_included(found, names)
  for _, name in ipairs(names) do
    local path = package.searchpath(name, package.path)
    if not path and not is_built_in(name) then
      fail("there is no module '%s' to be included", name)
    elseif path and not found.seen[name] then
      add_module(found, name, path)
    end
  end
end

local function add_required(found, source)
  for _, required in ipairs(scan.requires(source.text)) do
    local name, where = required.name, ("%s:%d"):format(source.path, required.line)
    if not name then
      warn("%s: which module is computed when it runs: --include names it", where)
    elseif not found.seen[name] and not is_built_in(name) then
      local path = package.searchpath(name, package.path)
      if path then
        add_module(found, name, path)
      else
        found.seen[name] = true
        report_missing(name, where)
      end
    end
  end
end

-- The modules that the script needs, in the order in which they were found.
local function collect(script, include)
  local found = { list = {}, seen = {} }
  add_included(found, include)
  add_required(found, script)
  for _, module in ipairs(found.list) do -- grows meanwhile
    add_required(found, module)
  end
  return found.list
end

-- Writing.

local function record(kind, name, path, text)
  return kind .. string.pack("<I4I4I4", #name, #path, #text) .. name .. path .. text
end

local function payload_of(script, modules, options)
  local records = {}
  for _, word in ipairs(options) do
    records[#records + 1] = record("o", "", "", word .. "\0")
  end
  records[#records + 1] = record("s", "", script.path, script.text)
  for _, module in ipairs(modules) do
    records[#records + 1] = record("m", module.name, module.path, module.text)
  end
  return table.concat(records)
end

-- luge itself, with the place of the payload in its marker.
local function marked(luge, payload)
  local at = luge:find(build.marker, 1, true)
  if not at or luge:find(build.marker, at + 1, true) then
    fail "luge's own executable cannot be read as such"
  end
  local marker = ("%s%016x:%016x:%08x"):format(build.prefix, #luge, #payload,
    build.checksum(payload))
  return luge:sub(1, at - 1) .. marker .. luge:sub(at + #marker)
end

local function same_file(a, b)
  local ok, first, second = pcall(function() return fs.stat(a), fs.stat(b) end)
  return ok and first.device == second.device and first.inode == second.inode
end

local function check_output(options, luge_path)
  local output = options.output
  local ok, status = pcall(fs.stat, output)
  if ok and status.type == "directory" then
    fail("%s is a directory", output)
  elseif ok and status.type ~= "file" then
    fail("%s is a %s", output, status.type)
  elseif same_file(output, options.file) then
    fail("%s is the script itself", output)
  elseif same_file(output, luge_path) then
    fail("%s is luge itself", output)
  end
end

-- Writes under another name first, so that there is always the old executable
-- or the whole new one, and one that runs is not written to.
local function write(output, text)
  local temporary = ("%s.%016x"):format(output, math.random(0))
  local ok, err = pcall(function()
    fs.write(temporary, text, { mode = tonumber("755", 8) })
    fs.rename(temporary, output)
  end)
  if not ok then
    pcall(fs.remove, temporary)
    fail("%s", message_of(err))
  end
end

return function(...)
  local options = parse { ... }
  if options.help then
    io.write(usage)
    return
  end
  check(options)
  local luge_path = build.executable() or fail "where luge itself is cannot be told"
  check_output(options, luge_path)
  local script = { path = options.file, text = read_source(options.file) }
  set_path(options.file)
  local modules = collect(script, options.include)
  local luge = fs.read(luge_path, { limit = MAX_SIZE })
  local payload = payload_of(script, modules, options.baked)
  local app = marked(luge, payload) .. payload
  write(options.output, app)
  io.write(("%s: %s with %d module%s, %.1f MB\n"):format(options.output, options.file, #modules,
    #modules == 1 and "" or "s", #app / 1e6))
end
