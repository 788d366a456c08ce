---@meta luge.json
-- Made by scripts/reference from the annotations in lua/luge.

do
---@class luge.json.DecodeOptions
---@field max_depth? integer how deep arrays and objects may nest, 1 to 10000; default 128
local class = {}

end

do
---@class luge.json.EncodeOptions
---@field max_depth? integer how deep tables may nest, 1 to 10000; default 128
---@field indent? integer|string a level's spaces (0 to 16) or white space; default: one line
---@field sort_keys? boolean order keys by their bytes; default: the order of `next`
local class = {}

end

do
--- What `json.reader` makes. A reader that has raised an error raises the same
--- at every further `feed` and `finish`; `value` still has what came before.
---@class luge.json.Reader
local class = {}

--- Reads on. Raises `parse` as soon as no document can begin so, with the
--- offset in all that was fed; `invalid` after `finish`.
---@param text string
---@return luge.json.Reader
function class:feed(text) end

--- What has come so far, as `json.partial` tells it. The tables are the same
--- ones every time and grow in place up to the end: copy what is to stay, and
--- change nothing. An open string of 1 KiB or more is brought up to date when
--- it has grown by a 64th, so that asking after each piece stays cheap; once
--- closed it is whole.
---@return any
function class:value() end

--- The value of the whole document. Raises `parse` if it is unfinished.
---@return any
function class:finish() end

end

do
--- A compiled schema.
---@class luge.json.Schema
local class = {}

--- Returns the value if it fits. Else raises `schema`: `path`, a JSON Pointer to
--- what does not fit, `expected`, what would, and `value`, what is there.
---@param value any
---@return any
function class:check(value) end

end

---@class luge.json
---@field null lightuserdata The JSON null: a value of its own, because nil in a table is no element.
local json = {}

--- Reads a document. Of two members with the same key the last counts. Arrays
--- are marked as by `json.array`, so an empty one is written as `[]` again.
--- `-0` is the integer 0; a number too small for a double is 0.0.
---
--- Raises `parse` with `offset`, the place of the first byte that is wrong,
--- from 1, and `near`, what stands there: malformed text, a byte order mark,
--- invalid UTF-8, a lone surrogate, a number beyond a double, more levels than
--- `max_depth`.
---@param text string
---@param options? luge.json.DecodeOptions
---@return any
function json.decode(text, options) end

--- Writes a value as a document. A table is an array if its keys are 1 to n
--- or it has the mark of `json.array`, else an object, whose keys are strings.
--- Tables are read without metamethods. Floats get as few digits as read back
--- the same. With `indent` each element has a line of its own.
---
--- Raises `invalid`, which names the place (`value.list[2]`): a value that JSON
--- has no form for (functions, nan, the infinities, nil), text that is no
--- UTF-8, a sparse array, a table with a sequence and other keys, a table
--- inside itself, more levels than `max_depth`.
---@param value any
---@param options? luge.json.EncodeOptions
---@return string
function json.encode(value, options) end

--- Marks a table, or a new one, as an array, so that an empty one is written
--- as `[]`, and returns it. Sets its metatable; raises `invalid` if it has one
--- of its own.
---@param t? table
---@return table
function json.array(t) end

--- Marks a table, or a new one, as an object, and returns it: its integer keys
--- are written as strings. Sets its metatable; raises `invalid` if it has one
--- of its own.
---@param t? table
---@return table
function json.object(t) end

--- Reads what a document holds that broke off, or has not come to its end: an
--- open string as far as it goes, without a cut escape or character; no key
--- that has no value, no number or literal that may go on. nil if that is
--- nothing.
---
--- Raises `parse`, as `json.decode` does, for a text that no document begins
--- with.
---@param text string
---@param options? luge.json.DecodeOptions
---@return any
function json.partial(text, options) end

--- Makes a reader for a document that comes in pieces, cut anywhere. The time
--- is linear in the document, however small the pieces.
---@param options? luge.json.DecodeOptions
---@return luge.json.Reader
function json.reader(options) end

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
function json.schema(schema) end

return json
