---@meta luge.store
-- Made by scripts/reference from the annotations in lua/luge.

do
--- The keys of a store that begin with a prefix, as `at` gives them.
---@class luge.store.Part
local class = {}

--- The same as `put`, by the name under which `chain:cache` and `llm.history`
--- call what they are given as a store.
class.set = {}

--- The value of a key. Waits.
---@param key string
---@return any # nil if there is none, or it has expired
function class:get(key) end

--- Sets the value of a key; with `ttl`, for that many seconds of the wall
--- clock. Waits until it is on the disk. More bytes than the store's
--- `max_value` raise `limit`.
---@param key string
---@param value any
---@param options? { ttl?: number }
function class:put(key, value, options) end

--- Takes a key away. Waits until that is on the disk.
---@param key string
---@return boolean # whether it was there
function class:delete(key) end

--- Sets the value of a key if it is `expected` so far, at one moment, whoever
--- else writes. nil stands for no value: nothing is expected, or the key is
--- taken away. Values are compared as they are stored: 1 is not 1.0, and the
--- order of a table's keys does not matter. Waits until it is on the disk.
---@param key string
---@param expected any
---@param value any
---@param options? { ttl?: number }
---@return boolean # whether it was as expected, and now is `value`
function class:compare_and_set(key, expected, value, options) end

--- The keys that begin with a prefix, in the order of their bytes, and their
--- values: a Stream of both. It reads pages of 128, and each page as it is when
--- it is read.
---@param prefix? string default: all
---@param options? { limit?: integer }
---@return luge.Stream, nil, nil, luge.Stream
function class:scan(prefix, options) end

--- The append-only log of a name, which need not exist. Does not wait.
---@param name string
---@return luge.store.Log
function class:log(name) end

--- The part of the store whose keys and logs have the prefix in front of their
--- names, as if it were a store of its own; `ttl` is for what is put there
--- without one. Does not wait.
---@param prefix string
---@param options? { ttl?: number }
---@return luge.store.Part
function class:at(prefix, options) end

end

do
--- An open store.
---@class luge.store.Store: luge.store.Part
local class = {}

--- Closes the store, once all is done that was asked of it. Again does nothing.
--- Leaving the block of a `local s <close>` does it too. Waits.
function class:close() end

end

do
---@class luge.store.Options
---@field timeout? number seconds that a file is waited for that another process holds (5)
---@field max_value? integer bytes of a value, at most (64 MiB)
---@field max_size? integer bytes of the whole, at most
local class = {}

end

do
--- A log: entries that are numbered from 1 as they come, without gaps. No
--- number is given twice, also after `truncate`. As with the store's other
--- functions, `store` is raised for what SQLite cannot do.
---@class luge.store.Log
local class = {}

--- Adds a value at the end. Waits until it is on the disk.
---@param value any as for `put`
---@return integer # its number
function class:append(value) end

--- The entries, oldest first: a Stream of their numbers and values. It ends
--- with the last one that is there when it has come so far.
---@param options? { from?: integer, limit?: integer } default: from the first one, all
---@return luge.Stream, nil, nil, luge.Stream
function class:read(options) end

--- The last entry: its number and value; nothing if there is none. Waits.
---@return integer?, any
function class:last() end

--- How many entries there are. Waits.
---@return integer
function class:length() end

--- Takes the entries away whose numbers are below `before`. Waits until that is
--- on the disk.
---@param before integer
---@return integer # how many there were
function class:truncate(before) end

end

---@class luge.store
local store = {}

--- Opens the store in a file, which is made if there is none; beside it are
--- files named PATH-wal and PATH-shm. Waits.
---
--- Raises `store`; its `code` is "FOREIGN" for a database of another program,
--- "NEWER" for a store of a newer luge, "SQLITE_NOTADB" for a file that is
--- none. Needs the permissions to read and to write the path.
---@param path string
---@param options? luge.store.Options
---@return luge.store.Store
function store.sqlite(path, options) end

--- Opens an empty store in memory, which is gone when it is closed; `max_size`
--- is 256 MiB unless given. It is SQLite's memory, and counts to no limit of
--- luge's. Waits.
---@param options? { max_value?: integer, max_size?: integer }
---@return luge.store.Store
function store.memory(options) end

return store
