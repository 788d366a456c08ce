---@meta luge.log
-- Made by scripts/reference from the annotations in lua/luge.

do
--- The functions of `luge.log`, and of what its `with` makes. They take no
--- `self`. A message is made a text by `tostring`. A field's value is a string, a
--- number, a boolean, an error, or a table that JSON has a form for; anything
--- else is made a text, too.
---@class luge.Logger
local class = {}

---@param message any
---@param fields? table
function class.debug(message, fields) end

---@param message any
---@param fields? table
function class.info(message, fields) end

---@param message any
---@param fields? table
function class.warn(message, fields) end

---@param message any
---@param fields? table
function class.error(message, fields) end

--- A logger whose records all have these fields; a record's own come before.
---@param fields table
---@return luge.Logger
function class.with(fields) end

end

---@class luge.log: luge.Logger
local log = {}

--- The least level that is logged: "debug", "info" (the default), "warn",
--- "error", or "off". The variable LUGE_LOG sets it too. Returns the one before.
---@param name? string
---@return string
function log.level(name) end

return log
