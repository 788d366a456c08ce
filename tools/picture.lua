-- Draws docs/terminal.svg: the first program of the README and what it prints,
-- as it looks on a terminal. Run by scripts/picture in the root of the tree; with
-- --check it draws nothing, and fails if the picture is another.
local fs = require "luge.fs"
local process = require "luge.process"
local docs = dofile "tests/support/docs.lua"

local PATH <const> = "docs/terminal.svg"
local LINE <const>, COLUMN <const>, MARGIN <const> = 20, 8.43, 20 -- pixels

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function first_program()
  for _, block in ipairs(docs.blocks "README.md") do
    if block.info == "lua run" then
      return block.text
    end
  end
end

local function output_of(program)
  return process.run {
    os.getenv "LUGE", "-", input = program, env = { LUGE_MODEL = false }, check = true,
  }.stdout
end

local keywords = {}
for word in ("local for in do end function return require print"):gmatch "%a+" do
  keywords[word] = true
end

local function span(class, text)
  return ('<tspan class="%s">%s</tspan>'):format(class, escape(text))
end

-- A line of Lua with its strings, comments and keywords in colour.
local function coloured(line)
  local parts, at = {}, 1
  while at <= #line do
    local text = line:match("^%-%-.*", at) or line:match('^"[^"]*"', at)
      or line:match("^[%a_][%w_]*", at) or line:match("^.", at)
    local class = text:find "^%-%-" and "comment" or text:find '^"' and "string"
      or keywords[text] and "keyword"
    parts[#parts + 1] = class and span(class, text) or escape(text)
    at = at + #text
  end
  return table.concat(parts)
end

-- The lines of the terminal: `{ text = what is seen, svg = }`.
local function screen()
  local lines = {}
  local function add(text, svg)
    lines[#lines + 1] = { text = text, svg = svg or escape(text) }
  end
  local function command(text)
    add("$ " .. text, span("prompt", "$ ") .. escape(text))
  end
  local program = first_program()
  command "cat explain.lua"
  for line in program:gmatch "([^\n]*)\n" do
    add(line, coloured(line))
  end
  add ""
  command "luge explain.lua"
  for line in output_of(program):gmatch "([^\n]*)\n" do
    add(line)
  end
  return lines
end

local header = [[
<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">
<title>A script of a prompt, a model and a parser, and what it prints</title>
<style>
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d8dee9 }
.prompt { fill: #a3be8c } .keyword { fill: #81a1c1 } .string { fill: #ebcb8b }
.comment { fill: #8a93a3 }
</style>
<rect width="100%%" height="100%%" rx="8" fill="#242933"/>
]]

local function draw(lines)
  local columns = 0
  for _, line in ipairs(lines) do
    columns = math.max(columns, #line.text)
  end
  local width = math.ceil(columns * COLUMN) + 2 * MARGIN
  local height = #lines * LINE + 2 * MARGIN
  local parts = { header:format(width, height, width, height) }
  for i, line in ipairs(lines) do
    if line.text ~= "" then
      parts[#parts + 1] = ('<text x="%d" y="%d" xml:space="preserve">%s</text>\n'):format(MARGIN,
        MARGIN + i * LINE - 5, line.svg)
    end
  end
  parts[#parts + 1] = "</svg>\n"
  return table.concat(parts)
end

local picture = draw(screen())
if ... ~= "--check" then
  fs.write(PATH, picture)
elseif not fs.exists(PATH) or fs.read(PATH) ~= picture then
  error(PATH .. " is not up to date: run scripts/picture", 0)
end
