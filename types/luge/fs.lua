---@meta luge.fs
-- Made by scripts/reference from the annotations in lua/luge.

do
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
local class = {}

end

do
---@class luge.fs.Entry
---@field path string from the path that was given on
---@field name string
---@field type string as of `fs.stat`
---@field depth integer from 1
local class = {}

end

do
--- An open file. Each method waits. One that is used after `close` raises
--- `closed`.
---@class luge.fs.File
---@field path string
local class = {}

--- The next `count` bytes, fewer only at the end of the file, and nil there.
--- Without a count: all that is left, "" at the end; more than `limit` bytes
--- (64 MiB) raise `limit`, and can still be read.
---@param count? integer
---@param limit? integer
---@return string?
function class:read(count, limit) end

--- Writes the strings or numbers one behind the other, at the current place, or
--- at the end of a file opened with "a".
---@param ... string|number
---@return luge.fs.File # self
function class:write(...) end

--- Moves to `offset` bytes from the beginning ("set"), the current place
--- ("cur") or the end ("end"), and tells the place, from 0.
---@param whence? "set"|"cur"|"end" default "cur"
---@param offset? integer default 0
---@return integer
function class:seek(whence, offset) end

--- Returns once all that was written is on the disk. Where it could not be
--- written there, this call and every further one raises `io`.
function class:sync() end

--- What is known of the file, as by `fs.stat`.
---@return luge.fs.Stat
function class:stat() end

--- Closes the file; again does nothing. Raises `io` if what was written turns
--- out not to have been; where nobody waits for that, as when the file is
--- collected, it is reported. A temporary one is removed.
function class:close() end

--- A Stream of pieces of at most `size` bytes (64 KiB). Does not close the
--- file.
---@param size? integer
---@return luge.Stream, nil, nil, luge.Stream
function class:chunks(size) end

--- A Stream of lines, without their ends ("\n" or "\r\n"). One longer than
--- `limit` bytes (16 MiB) raises `limit`. Does not close the file.
---@param options? { limit?: integer }
---@return luge.Stream, nil, nil, luge.Stream
function class:lines(options) end

end

---@class luge.fs
local fs = {}

--- The contents of a file. More than `limit` bytes (64 MiB) are not read, but
--- raise `limit`. A directory is `io` with EISDIR. Reading a pipe or a terminal
--- takes one of the pool's few threads until it ends: see `luge.stdin` and
--- `luge.process` for those. Waits.
---@param path string
---@param options? { limit?: integer }
---@return string
function fs.read(path, options) end

--- Replaces a file, or creates it (`mode` 0666, less the umask), at one moment:
--- the data go to a new file beside it, are synchronized to the disk, and take
--- its name. After a crash or a kill there is the old contents or the new,
--- never a part. An existing file keeps its mode and, where allowed, its owner;
--- a symbolic link stays one. `sync = false` is faster, and leaves when the
--- data reach the disk to the system. What is no regular file (/dev/null) is
--- written to as it is. Needs the right to write in the directory. Waits.
---@param path string
---@param data string
---@param options? { mode?: integer, sync?: boolean }
function fs.write(path, data, options) end

--- Adds to the end of a file, or creates it. `sync = true` (the default is
--- false) returns once the data are on the disk. Waits.
---@param path string
---@param data string
---@param options? { mode?: integer, sync?: boolean }
function fs.append(path, data, options) end

--- Opens a file as `io.open` does; "x" behind "w" or "a": it must be new. The
--- File is closed by `:close()`, `<close>`, or when it is collected. Waits.
---@param path string
---@param mode? string default "r"
---@return luge.fs.File
function fs.open(path, mode) end

--- The lines of a file, without their ends ("\n" or "\r\n"), which is closed
--- with the stream. One longer than `limit` bytes (16 MiB) raises `limit`. Waits.
---@param path string
---@param options? { limit?: integer }
---@return luge.Stream, nil, nil, luge.Stream
function fs.lines(path, options) end

--- What is known of a file. `follow = false` looks at a symbolic link itself.
--- Waits.
---@param path string
---@param options? { follow?: boolean }
---@return luge.fs.Stat
function fs.stat(path, options) end

--- Whether there is something of that name that a link, if it is one, leads
--- to. Raises `io` where that cannot be told (EACCES). Waits.
---@param path string
---@return boolean
function fs.exists(path) end

--- The names in a directory but "." and "..", sorted by their bytes. Waits.
---@param path? string default: the current directory
---@return string[]
function fs.list(path) end

--- A Stream of all that is below a directory, depth first, the entries of each
--- directory sorted, a directory before what is in it. Symbolic links are told
--- (`type` is "link") and not followed. What vanishes meanwhile is passed over;
--- a directory that cannot be read raises `io`. Waits.
---@param path? string default: the current directory
---@return luge.Stream, nil, nil, luge.Stream
function fs.walk(path) end

--- Makes a directory (`mode` 0777, less the umask). With `parents` also those
--- above it, and one that exists is no error. Waits.
---@param path string
---@param options? { parents?: boolean, mode?: integer }
function fs.mkdir(path, options) end

--- Removes a file, a link, or an empty directory; with `recursive` also what is
--- in one, without following links. Waits.
---@param path string
---@param options? { recursive?: boolean }
function fs.remove(path, options) end

--- Gives a file or directory another name, in the place of a file that has it.
--- Between file systems that is `io` with EXDEV. Waits.
---@param from string
---@param to string
function fs.rename(from, to) end

--- Copies the contents and the mode of a file; `to` is replaced at one moment,
--- as by `fs.write`. Waits.
---@param from string
---@param to string
---@param options? { sync?: boolean }
function fs.copy(from, to, options) end

--- A new file, open for reading and writing, or (`directory = true`) a new
--- directory, that only this user may look into. `path` is its name: `prefix`
--- ("luge-") and six random letters, in `dir` ($TMPDIR or /tmp). It is removed,
--- with what is in it, when it is closed or collected. Waits.
---@param options? { directory?: boolean, dir?: string, prefix?: string }
---@return luge.fs.File
function fs.temp(options) end

--- A Stream of what happens to a file, or in a directory (not below), from now
--- on: `{ kind = "rename"|"change"|"overflow", name =, path = }`. "rename" is
--- coming, going or a change of name; one change may be told several times.
--- "overflow": there were more than the reader kept up with: look at it all
--- again. Ends when it is closed. Making it does not wait.
---@param path string
---@return luge.Stream, nil, nil, luge.Stream
function fs.watch(path) end

return fs
