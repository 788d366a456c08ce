---@meta luge.env
-- Made by scripts/reference from the annotations in lua/luge.

---@class luge.env
local env = {}

--- Loads a dotenv file, and returns its variables. Variables that are set
--- already keep their value unless `override` is true. Without a path: ".env",
--- if there is one. Waits.
---
---     # a comment
---     export NAME=value          # quotes are not needed
---     HOST='as it is, $ too'     KEY=`it's "so"`
---     URL="http://${HOST}:${PORT:-80}/\n"
---
--- Quoted values may have several lines. `${X}` is another variable, "" if it
--- is unset; `${X:-y}` is y if it is unset or empty, `${X-y}` if it is unset;
--- `\$` is a dollar. Escapes (`\n \r \t \" \\`) are those of double quotes.
---
--- Raises `parse`, with `line`, and loads nothing; `io`; `limit` beyond 1 MiB.
---@param path? string
---@param options? { override?: boolean }
---@return table<string, string>
function env.load(path, options) end

--- The value of a variable, or `default`.
---@param name string
---@param default? any
---@return string|any
function env.get(name, default) end

--- The values of variables, which must all be set, and not empty.
---
--- Raises `invalid`, which names all that are missing, also in `names`.
---@param ... string
---@return string # ...
function env.require(...) end

return env
