-- Texts in Mermaid's diagrams.

local mermaid = {}

--- The text between quotes: what would end it, or be taken for HTML, as entities.
function mermaid.quoted(text)
  return '"' .. text:gsub('[%c"<>&#]', function(c)
    return ("#%d;"):format(c:byte())
  end) .. '"'
end

return mermaid
