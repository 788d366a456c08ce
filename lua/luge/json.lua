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

--- Reads what a document holds that broke off, or has not come to its end: an
--- open string as far as it goes, without a cut escape or character; no key
--- that has no value, no number or literal that may go on. nil if that is
--- nothing.
---
--- Raises `parse`, as `json.decode` does, for a text that no document begins
--- with.
---@type fun(text: string, options?: luge.json.DecodeOptions): any
json.partial = native.partial

--- What `json.reader` makes. A reader that has raised an error raises the same
--- at every further `feed` and `finish`; `value` still has what came before.
---@class luge.json.Reader
--- Reads on. Raises `parse` as soon as no document can begin so, with the
--- offset in all that was fed; `invalid` after `finish`.
---@field feed fun(self: luge.json.Reader, text: string): luge.json.Reader
--- What has come so far, as `json.partial` tells it. The tables are the same
--- ones every time and grow in place up to the end: copy what is to stay, and
--- change nothing. An open string of 1 KiB or more is brought up to date when
--- it has grown by a 64th, so that asking after each piece stays cheap; once
--- closed it is whole.
---@field value fun(self: luge.json.Reader): any
--- The value of the whole document. Raises `parse` if it is unfinished.
---@field finish fun(self: luge.json.Reader): any

--- Makes a reader for a document that comes in pieces, cut anywhere. The time
--- is linear in the document, however small the pieces.
---@type fun(options?: luge.json.DecodeOptions): luge.json.Reader
json.reader = native.reader

--- A compiled schema.
---@class luge.json.Schema
--- Returns the value if it fits. Else raises `schema`: `path`, a JSON Pointer to
--- what does not fit, `expected`, what would, and `value`, what is there.
---@field check fun(self: luge.json.Schema, value: any): any

local compile

--- Compiles a JSON Schema, draft 2020-12: the validation vocabulary (`type`,
--- `enum`, `const`, bounds, sizes, `required`, `uniqueItems`, ...), all
--- applicators (`properties`, `items`, `anyOf`, `if`, ...), and `$ref` to
--- places in the schema itself. Numbers are compared as decimals, lengths count
--- code points, an integer may be a float without a fraction.
---
--- `pattern` and `patternProperties` take ECMA-262 expressions and match in
--- linear time; backreferences, lookaround and Unicode properties are refused.
--- `format`, `title`, `description`, `default` and all names that are no
--- keyword check nothing, as the draft says.
---
--- Raises `invalid` with `path`, a JSON Pointer into the schema: what is no
--- schema, a reference to another document or to nothing, and keywords that
--- would check something but are not supported (`unevaluatedItems`,
--- `unevaluatedProperties`, `$dynamicRef`, those of older drafts, `nullable`).
---@param schema table|boolean
---@return luge.json.Schema
function json.schema(schema)
  compile = compile or require "luge.internal.schema"
  return compile(schema)
end

return json
