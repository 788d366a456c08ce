-- Reads the pages of the documentation: their blocks of code, the code in their
-- text, and their links.
local fs = require "luge.fs"

local docs = {}

--- The paths of the pages that people wrote.
function docs.pages()
  local list = { "README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md" }
  for entry in fs.walk "docs" do
    if entry.name:find "%.md$" and not entry.path:find "^docs/reference/" then
      list[#list + 1] = entry.path
    end
  end
  return list
end

-- Goes through a page: `code(info, lines, line)` for each block of code, and
-- `prose(text, line)` for each line outside.
local function scan(path, code, prose)
  local info, lines, start
  local number = 0
  for line in (fs.read(path) .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    local fence = line:match "^```(.*)$"
    if fence and info then
      code(info, lines, start)
      info = nil
    elseif fence then
      info, lines, start = fence, {}, number
    elseif info then
      lines[#lines + 1] = line
    else
      prose(line, number)
    end
  end
end

--- The blocks of code: `{ info =, text =, where =, output = }`, where `output`
--- is the block marked `text` that follows, with nothing but blank lines between.
function docs.blocks(path)
  local list, last = {}, nil
  scan(path, function(info, lines, line)
    local text = table.concat(lines, "\n") .. "\n"
    if info == "text" and last then
      last.output = text
      last = nil
      return
    end
    last = { info = info, text = text, where = ("%s:%d"):format(path, line) }
    list[#list + 1] = last
  end, function(line)
    last = not line:find "%S" and last or nil
  end)
  return list
end

-- A line without its first cell, if it is a row of a table.
local function without_first_cell(line)
  return (line:gsub("^|[^|]*|", "|"))
end

--- All Lua in a page, as `{ text =, where = }`: blocks, and what is in the text
--- between backquotes. The first cells of pages named from-*.md are about
--- something else than luge.
function docs.code(path)
  local list, is_table = {}, path:find "/from%-[^/]*$"
  local function add(text, line)
    list[#list + 1] = { text = text, where = ("%s:%d"):format(path, line) }
  end
  scan(path, function(info, lines, line)
    if info:find "^lua" then
      for i, text in ipairs(lines) do
        add(text:gsub("%-%-.*", ""), line + i)
      end
    end
  end, function(text, line)
    text = text:gsub("\\|", "\0")
    text = is_table and without_first_cell(text) or text
    for code in text:gsub("%z", "|"):gmatch "`([^`]+)`" do
      add(code, line)
    end
  end)
  return list
end

--- The relative links of a page, as paths from the root.
function docs.links(path)
  local list, folder = {}, path:match "^(.*/)" or ""
  scan(path, function() end, function(text)
    for link in text:gmatch "%]%(([^)#%s]+)[^)]*%)" do
      if not link:find "^%a+:" then
        list[#list + 1] = folder .. link
      end
    end
  end)
  return list
end

return docs
