--- Files and directories, without ever blocking the loop: every operation runs
--- on a thread of the pool while its task waits. A task that is cancelled goes
--- on at once; what was begun ends by itself, and frees what it holds.
--
-- Paths are strings of any bytes but zero, as the system takes them. What fails
-- raises `io`, with `errno` (its name: "ENOENT") and `path`; having no
-- descriptors left is `limit`, with the same fields.

local native = require "luge.native.fs"
local check = require "luge.internal.check"
local environment = require "luge.internal.environment"
local file = require "luge.internal.fs_file"
local is_error = require("luge.native.task").is_error

---@class luge.fs
local fs = {}

local DEFAULT_LIMIT <const> = 64 << 20

local read_options = { limit = "whole" }

--- The contents of a file. More than `limit` bytes (64 MiB) are not read, but
--- raise `limit`. A directory is `io` with EISDIR. Reading a pipe or a terminal
--- takes one of the pool's few threads until it ends: see `luge.stdin` and
--- `luge.process` for those. Waits.
---@param path string
---@param options? { limit?: integer }
---@return string
function fs.read(path, options)
  options = check.options("read", options, read_options)
  return native.read(path, options.limit or DEFAULT_LIMIT)
end

local write_options = { mode = "whole", sync = "boolean" }

local function write_with(name, write)
  return function(path, data, options)
    options = check.options(name, options, write_options)
    write(path, data, options.mode or 438, options.sync ~= false) -- 0666
  end
end

--- Replaces a file, or creates it (`mode` 0666, less the umask), at one moment:
--- the data go to a new file beside it, are synchronized to the disk, and take
--- its name. After a crash or a kill there is the old contents or the new,
--- never a part. An existing file keeps its mode and, where allowed, its owner;
--- a symbolic link stays one. `sync = false` is faster, and leaves when the
--- data reach the disk to the system. What is no regular file (/dev/null) is
--- written to as it is. Needs the right to write in the directory. Waits.
---@type fun(path: string, data: string, options?: { mode?: integer, sync?: boolean })
fs.write = write_with("write", native.write)

--- Adds to the end of a file, or creates it. `sync = true` (the default is
--- false) returns once the data are on the disk. Waits.
---@param path string
---@param data string
---@param options? { mode?: integer, sync?: boolean }
function fs.append(path, data, options)
  options = check.options("append", options, write_options)
  native.append(path, data, options.mode or 438, options.sync == true)
end

local modes = {}
for _, mode in ipairs { "r", "w", "a", "r+", "w+", "a+", "wx", "w+x", "ax", "a+x" } do
  modes[mode] = mode
  modes[mode .. "b"] = mode
end

local function check_mode(mode)
  if mode ~= nil and not modes[mode] then
    check.bad_argument("open", 2, mode, '"r", "w", "a", "r+", "w+", "a+", or "wx"')
  end
  return modes[mode or "r"]
end

--- Opens a file as `io.open` does; "x" behind "w" or "a": it must be new. The
--- File is closed by `:close()`, `<close>`, or when it is collected. Waits.
---@param path string
---@param mode? string default "r"
---@return luge.fs.File
function fs.open(path, mode)
  mode = check_mode(mode)
  return file.new(native.open(path, mode, 438))
end

--- The lines of a file, without their ends ("\n" or "\r\n"), which is closed
--- with the stream. One longer than `limit` bytes (16 MiB) raises `limit`. Waits.
---@param path string
---@param options? { limit?: integer }
---@return luge.Stream, nil, nil, luge.Stream
function fs.lines(path, options)
  local limit = file.line_limit(options)
  return file.owned_lines(fs.open(path), limit)
end

---@class luge.fs.Stat
---@field type "file"|"directory"|"link"|"fifo"|"socket"|"device"
---@field size integer bytes
---@field mode integer permissions
---@field uid integer
---@field gid integer
---@field links integer
---@field inode integer
---@field device integer
---@field modified number seconds since 1970-01-01 00:00 UTC
---@field accessed number
---@field changed number

local stat_options = { follow = "boolean" }

--- What is known of a file. `follow = false` looks at a symbolic link itself.
--- Waits.
---@param path string
---@param options? { follow?: boolean }
---@return luge.fs.Stat
function fs.stat(path, options)
  options = check.options("stat", options, stat_options)
  return native.stat(path, options.follow ~= false)
end

--- Whether there is something of that name that a link, if it is one, leads
--- to. Raises `io` where that cannot be told (EACCES). Waits.
---@param path string
---@return boolean
function fs.exists(path)
  local ok, err = pcall(native.stat, path, true)
  if ok then
    return true
  elseif is_error(err, "io") and (err.errno == "ENOENT" or err.errno == "ENOTDIR") then
    return false
  end
  error(err, 0)
end

--- The names in a directory but "." and "..", sorted by their bytes. Waits.
---@param path? string default: the current directory
---@return string[]
function fs.list(path)
  local names = native.list(path or ".")
  table.sort(names)
  return names
end

---@class luge.fs.Entry
---@field path string from the path that was given on
---@field name string
---@field type string as of `fs.stat`
---@field depth integer from 1

--- A Stream of all that is below a directory, depth first, the entries of each
--- directory sorted, a directory before what is in it. Symbolic links are told
--- (`type` is "link") and not followed. What vanishes meanwhile is passed over;
--- a directory that cannot be read raises `io`. Waits.
---@param path? string default: the current directory
---@return luge.Stream, nil, nil, luge.Stream
function fs.walk(path)
  return require "luge.internal.fs_walk" (path or ".")
end

local mkdir_options = { parents = "boolean", mode = "whole" }

--- Makes a directory (`mode` 0777, less the umask). With `parents` also those
--- above it, and one that exists is no error. Waits.
---@param path string
---@param options? { parents?: boolean, mode?: integer }
function fs.mkdir(path, options)
  options = check.options("mkdir", options, mkdir_options)
  native.mkdir(path, options.mode or 511, options.parents == true) -- 0777
end

local remove_options = { recursive = "boolean" }

--- Removes a file, a link, or an empty directory; with `recursive` also what is
--- in one, without following links. Waits.
---@param path string
---@param options? { recursive?: boolean }
function fs.remove(path, options)
  options = check.options("remove", options, remove_options)
  native.remove(path, options.recursive == true)
end

--- Gives a file or directory another name, in the place of a file that has it.
--- Between file systems that is `io` with EXDEV. Waits.
---@type fun(from: string, to: string)
fs.rename = native.rename

local copy_options = { sync = "boolean" }

--- Copies the contents and the mode of a file; `to` is replaced at one moment,
--- as by `fs.write`. Waits.
---@param from string
---@param to string
---@param options? { sync?: boolean }
function fs.copy(from, to, options)
  options = check.options("copy", options, copy_options)
  native.copy(from, to, options.sync ~= false)
end

local temp_options = { directory = "boolean", dir = "string", prefix = "string" }

--- A new file, open for reading and writing, or (`directory = true`) a new
--- directory, that only this user may look into. `path` is its name: `prefix`
--- ("luge-") and six random letters, in `dir` ($TMPDIR or /tmp). It is removed,
--- with what is in it, when it is closed or collected. Waits.
---@param options? { directory?: boolean, dir?: string, prefix?: string }
---@return luge.fs.File
function fs.temp(options)
  options = check.options("temp", options, temp_options)
  local prefix = options.prefix or "luge-"
  if prefix:find "[/%z]" then
    check.fail("bad option 'prefix' for 'temp': got %q, takes what a name may begin with", prefix)
  end
  local dir = options.dir or environment.try "TMPDIR" or "/tmp"
  local template = ("%s/%sXXXXXX"):format(dir, prefix)
  return file.new(native.temporary(template, options.directory == true))
end

--- A Stream of what happens to a file, or in a directory (not below), from now
--- on: `{ kind = "rename"|"change"|"overflow", name =, path = }`. "rename" is
--- coming, going or a change of name; one change may be told several times.
--- "overflow": there were more than the reader kept up with: look at it all
--- again. Ends when it is closed. Making it does not wait.
---@param path string
---@return luge.Stream, nil, nil, luge.Stream
function fs.watch(path)
  return require "luge.internal.fs_watch" (path)
end

return fs
