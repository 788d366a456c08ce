-- What a program is said to print: "..." is any text, white space at the end
-- does not count, all else is literal.

--- Whether `text` is what `expected` says.
return function(text, expected)
  local pattern = expected:gsub("%s*$", ""):gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".-")
  return text:find("^" .. pattern .. "%s*$") ~= nil
end
