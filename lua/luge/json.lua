--- JSON, strictly as RFC 8259 defines it.
--
-- A JSON null is `json.null`, an array a table with the mark of `json.array`,
-- an object a plain table. Integers of 64 bits are exact, larger ones become
-- floats; a float stays one (3.0 is written as 3.0). Text is valid UTF-8 in
-- both directions. All work and memory count to the host's limits. Nothing
-- here waits.
--
-- https://www.rfc-editor.org/rfc/rfc8259

local native = require "luge.native.json"

---@class luge.json
local json = {}

--- The JSON null: a value of its own, because nil in a table is no element.
---@type lightuserdata
json.null = native.null

---@class luge.json.DecodeOptions
---@field max_depth? integer how deep arrays and objects may nest, 1 to 10000; default 128

--- Reads a document. Of two members with the same key the last counts. Arrays
--- are marked as by `json.array`, so an empty one is written as `[]` again.
--- `-0` is the integer 0; a number too small for a double is 0.0.
---
--- Raises `parse` with `offset`, the place of the first byte that is wrong,
--- from 1, and `near`, what stands there: malformed text, a byte order mark,
--- invalid UTF-8, a lone surrogate, a number beyond a double, more levels than
--- `max_depth`.
---@type fun(text: string, options?: luge.json.DecodeOptions): any
json.decode = native.decode

---@class luge.json.EncodeOptions
---@field max_depth? integer how deep tables may nest, 1 to 10000; default 128
---@field indent? integer|string a level's spaces (0 to 16) or white space; default: one line
---@field sort_keys? boolean order keys by their bytes; default: the order of `next`

--- Writes a value as a document. A table is an array if its keys are 1 to n
--- or it has the mark of `json.array`, else an object, whose keys are strings.
--- Tables are read without metamethods. Floats get as few digits as read back
--- the same. With `indent` each element has a line of its own.
---
--- Raises `invalid`, which names the place (`value.list[2]`): a value that JSON
--- has no form for (functions, nan, the infinities, nil), text that is no
--- UTF-8, a sparse array, a table with a sequence and other keys, a table
--- inside itself, more levels than `max_depth`.
---@type fun(value: any, options?: luge.json.EncodeOptions): string
json.encode = native.encode

--- Marks a table, or a new one, as an array, so that an empty one is written
--- as `[]`, and returns it. Sets its metatable; raises `invalid` if it has one
--- of its own.
---@type fun(t?: table): table
json.array = native.array

--- Marks a table, or a new one, as an object, and returns it: its integer keys
--- are written as strings. Sets its metatable; raises `invalid` if it has one
--- of its own.
---@type fun(t?: table): table
json.object = native.object

return json
