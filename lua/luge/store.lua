--- Stores: keys and values, and append-only logs, in a file of SQLite.
--
-- What a call has returned for is on the disk: no kill and no loss of power
-- takes it back. Several processes may use one file. Nothing here blocks the
-- loop: each open store has a thread of its own, which puts all writes that
-- wait for it into one transaction. SQLite's library is loaded when the first
-- store is opened.
--
-- A key is a string of up to 1 MiB, of any bytes. A value is a string of any
-- bytes, or what has a JSON form (see luge.json): a number, a boolean,
-- json.null, a table, whose strings are UTF-8. nil is none.
--
-- Each function that waits raises `store` when SQLite cannot do it: `code` is
-- its name for the reason ("SQLITE_FULL", "SQLITE_READONLY", ...), `path` the
-- file; `closed` after the store was closed. A write whose task is cancelled
-- is done or not, but never half.
--
-- https://www.sqlite.org/wal.html

local native = require "luge.native.store"
local tasks = require "luge.native.task"
local check = require "luge.internal.check"
local closing = require "luge.internal.closing"
local codec = require "luge.internal.store_codec"
local log = require "luge.internal.store_log"
local stream = require "luge.internal.stream"

local encode, decode = codec.encode, codec.decode
local now = tasks.time

local MAX_VALUE <const> = 64 << 20
local MAX_MEMORY <const> = 256 << 20
local PAGE <const> = 128

---@class luge.store
local store = {}

--- The keys of a store that begin with a prefix, as `at` gives them.
---@class luge.store.Part
---@field package native any
---@field package prefix string
---@field package ttl number?
---@field package max_value integer
local Part = { __name = "luge.store.Part" }
Part.__index = Part

-- The key as it is in the file.
local function full_key(self, name, key)
  if type(key) ~= "string" then
    check.bad_argument(name, 1, key, "a string")
  end
  key = self.prefix .. key
  codec.check_key(key)
  return key
end

local ttl_options = { ttl = "positive" }

-- When a value that is put now expires, as Unix time; nil: never.
local function expiry(self, name, options, time)
  local ttl = options and check.options(name, options, ttl_options).ttl or self.ttl
  return ttl and time + ttl
end

--- The value of a key. Waits.
---@param key string
---@return any # nil if there is none, or it has expired
function Part:get(key)
  return decode(native.get(self.native, full_key(self, "get", key), now()))
end

--- Sets the value of a key; with `ttl`, for that many seconds of the wall
--- clock. Waits until it is on the disk. More bytes than the store's
--- `max_value` raise `limit`.
---@param key string
---@param value any
---@param options? { ttl?: number }
function Part:put(key, value, options)
  local time = now()
  key = full_key(self, "put", key)
  local bytes, is_json = encode(self, "put", 2, value)
  native.put(self.native, key, bytes, is_json, time, expiry(self, "put", options, time))
end

--- The same as `put`, by the name under which `chain:cache` and `llm.history`
--- call what they are given as a store.
Part.set = Part.put

--- Takes a key away. Waits until that is on the disk.
---@param key string
---@return boolean # whether it was there
function Part:delete(key)
  return native.delete(self.native, full_key(self, "delete", key), now())
end

--- Sets the value of a key if it is `expected` so far, at one moment, whoever
--- else writes. nil stands for no value: nothing is expected, or the key is
--- taken away. Values are compared as they are stored: 1 is not 1.0, and the
--- order of a table's keys does not matter. Waits until it is on the disk.
---@param key string
---@param expected any
---@param value any
---@param options? { ttl?: number }
---@return boolean # whether it was as expected, and now is `value`
function Part:compare_and_set(key, expected, value, options)
  local time = now()
  key = full_key(self, "compare_and_set", key)
  local old, old_is_json, new, new_is_json
  if expected ~= nil then
    old, old_is_json = encode(self, "compare_and_set", 2, expected)
  end
  if value ~= nil then
    new, new_is_json = encode(self, "compare_and_set", 3, value)
  end
  return native.compare_and_set(self.native, key, old, old_is_json, new, new_is_json, time,
    expiry(self, "compare_and_set", options, time))
end

-- The first key behind all keys with the prefix; nil if there is none.
local function end_of(prefix)
  local base = prefix:match("^(.-)\xFF*$")
  return base ~= "" and base:sub(1, -2) .. string.char(base:byte(-1) + 1) or nil
end

local scan_options = { limit = "count" }

--- The keys that begin with a prefix, in the order of their bytes, and their
--- values: a Stream of both. It reads pages of 128, and each page as it is when
--- it is read.
---@param prefix? string default: all
---@param options? { limit?: integer }
---@return luge.Stream, nil, nil, luge.Stream
function Part:scan(prefix, options)
  local from = full_key(self, "scan", prefix == nil and "" or prefix)
  local left = check.options("scan", options, scan_options).limit or math.huge
  local last, skip = end_of(from), #self.prefix + 1
  local function read(count)
    local rows = native.scan(self.native, from, last, now(), count)
    local key = rows[#rows - 2]
    from = key and key .. "\0"
    return rows
  end
  return stream.open(codec.pages(read, left, PAGE, function(key)
    return key:sub(skip)
  end), nil, 2)
end

--- The append-only log of a name, which need not exist. Does not wait.
---@param name string
---@return luge.store.Log
function Part:log(name)
  return log.new(self, full_key(self, "log", name))
end

--- The part of the store whose keys and logs have the prefix in front of their
--- names, as if it were a store of its own; `ttl` is for what is put there
--- without one. Does not wait.
---@param prefix string
---@param options? { ttl?: number }
---@return luge.store.Part
function Part:at(prefix, options)
  local full = full_key(self, "at", prefix)
  local ttl = check.options("at", options, ttl_options).ttl or self.ttl
  return setmetatable({
    native = self.native, prefix = full, ttl = ttl, max_value = self.max_value,
  }, Part)
end

--- An open store.
---@class luge.store.Store: luge.store.Part
local Store = { __name = "luge.store.Store" }
Store.__index = Store
for name, method in pairs(Part) do
  Store[name] = Store[name] or method
end

--- Closes the store, once all is done that was asked of it. Again does nothing.
--- Leaving the block of a `local s <close>` does it too. Waits.
function Store:close()
  self.native:close()
end

function Store:__close()
  if tasks.can_wait() then
    closing(Store.close, self)
  else
    Store.close(self)
  end
end

local function open(path, timeout, max_value, max_size)
  return setmetatable({
    native = native.open(path, timeout, max_value, max_size),
    prefix = "",
    max_value = max_value,
  }, Store)
end

local file_options = { timeout = "seconds", max_value = "count", max_size = "count" }

---@class luge.store.Options
---@field timeout? number seconds that a file is waited for that another process holds (5)
---@field max_value? integer bytes of a value, at most (64 MiB)
---@field max_size? integer bytes of the whole, at most

-- SQLite counts the bytes of a row in 31 bits.
local function check_max_value(name, value)
  if value and value > 1 << 29 then
    check.fail("bad option 'max_value' for '%s': got %d, takes at most %d", name, value, 1 << 29)
  end
  return value or MAX_VALUE
end

--- Opens the store in a file, which is made if there is none; beside it are
--- files named PATH-wal and PATH-shm. Waits.
---
--- Raises `store`; its `code` is "FOREIGN" for a database of another program,
--- "NEWER" for a store of a newer luge, "SQLITE_NOTADB" for a file that is
--- none. Needs the permissions to read and to write the path.
---@param path string
---@param options? luge.store.Options
---@return luge.store.Store
function store.sqlite(path, options)
  check.argument("sqlite", 1, path, "string")
  options = check.options("sqlite", options, file_options)
  return open(path, options.timeout or 5, check_max_value("sqlite", options.max_value),
    options.max_size or 0)
end

local memory_options = { max_value = "count", max_size = "count" }

--- Opens an empty store in memory, which is gone when it is closed; `max_size`
--- is 256 MiB unless given. It is SQLite's memory, and counts to no limit of
--- luge's. Waits.
---@param options? { max_value?: integer, max_size?: integer }
---@return luge.store.Store
function store.memory(options)
  options = check.options("memory", options, memory_options)
  return open(nil, 0, check_max_value("memory", options.max_value),
    options.max_size or MAX_MEMORY)
end

return store
