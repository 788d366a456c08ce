-- How `luge test` tells what came of the tests: as text for people, in the Test
-- Anything Protocol, and as JUnit's XML.
local report = {}

local function indent(text, by)
  return by .. text:gsub("\n", "\n" .. by)
end

-- Escapes what could drive a terminal or break a format: control characters,
-- and bytes that are not UTF-8.
local function visible(text)
  local function escape(byte)
    return ("\\x%02X"):format(byte:byte())
  end
  if not utf8.len(text) then
    text = text:gsub("[\128-\255]", escape)
  end
  return (text:gsub("[%z\1-\8\11-\31\127]", escape))
end

-- On one line.
local function name_of(text)
  return (visible(text:gsub("[\n\t]", " ")))
end

local function plural(count, word)
  return ("%d %s%s"):format(count, word, count == 1 and "" or "s")
end

local function count(file)
  local counts = { pass = 0, fail = 0, skip = 0 }
  for _, result in ipairs(file.results) do
    counts[result.outcome] = counts[result.outcome] + 1
  end
  return counts
end

-- What every reporter has: counts over all files.
local Reporter = {}
Reporter.__index = Reporter

function Reporter:add(file)
  local counts = count(file)
  for outcome, n in pairs(counts) do
    self.counts[outcome] = self.counts[outcome] + n
  end
  return counts
end

-- The line that CI reads.
function Reporter:summary()
  local text = ("%d passed, %d failed"):format(self.counts.pass, self.counts.fail)
  if self.counts.skip > 0 then
    text = ("%s, %d skipped"):format(text, self.counts.skip)
  end
  return text
end

function Reporter:passed()
  return self.counts.fail == 0
end

-- Whether there was no test at all.
function Reporter:is_empty()
  local counts = self.counts
  return counts.pass + counts.fail + counts.skip == 0
end

-- Text.

local Text = setmetatable({}, { __index = Reporter })
Text.__index = Text

local colors = { pass = "32", fail = "31;1", skip = "33", dim = "2" }
local marks = { pass = "ok  ", fail = "FAIL", skip = "skip" }

function Text:paint(color, text)
  return self.options.color and ("\27[%sm%s\27[0m"):format(colors[color], text) or text
end

function Text:result(result)
  local line = ("  %s %s"):format(self:paint(result.outcome, marks[result.outcome]),
    name_of(result.name))
  if result.outcome == "skip" and result.message ~= "" then
    line = ("%s (%s)"):format(line, name_of(result.message))
  elseif result.seconds >= 0.5 then
    line = line .. self:paint("dim", (" (%.1f s)"):format(result.seconds))
  end
  io.write(line, "\n")
  if result.outcome == "fail" then
    io.write(indent(visible(result.message), "       "), "\n")
  end
end

function Text:file(file)
  local counts = self:add(file)
  local outcome = counts.fail > 0 and "fail" or "pass"
  io.write(("%s %s %s\n"):format(self:paint(outcome, marks[outcome]), name_of(file.path),
    self:paint("dim", ("(%s, %.2f s)"):format(plural(#file.results, "test"), file.seconds))))
  for _, result in ipairs(file.results) do
    if self.options.verbose or result.outcome == "fail" then
      self:result(result)
    end
  end
  if file.output ~= "" then
    io.write(self:paint("dim", "  output:"), "\n")
    io.write(indent(file.output:gsub("\n$", ""), "  | "), "\n")
  end
  io.flush()
end

function Text:close()
  io.write(self:paint(self:passed() and "pass" or "fail", self:summary()), "\n")
  io.flush()
  return self:passed()
end

-- TAP, version 13. https://testanything.org/tap-version-13-specification.html

local Tap = setmetatable({}, { __index = Reporter })
Tap.__index = Tap

function Tap:file(file)
  self:add(file)
  for _, result in ipairs(file.results) do
    self.number = self.number + 1
    local name = name_of(("%s > %s"):format(file.path, result.name):gsub("#", " "))
    io.write(result.outcome == "fail" and "not ok " or "ok ", self.number, " - ", name)
    io.write(result.outcome == "skip" and " # SKIP " .. name_of(result.message) or "", "\n")
    if result.outcome == "fail" then
      io.write("  ---\n  message: |\n", indent(visible(result.message), "    "), "\n  ...\n")
    end
  end
  if file.output ~= "" then
    io.write(indent(file.output:gsub("\n$", ""), "# "), "\n")
  end
end

function Tap:close()
  io.write("1..", self.number, "\n# ", self:summary(), "\n")
  io.flush()
  return self:passed()
end

---@param options { tap: boolean?, verbose: boolean?, color: boolean? }
function report.new(options)
  local reporter = { options = options, counts = { pass = 0, fail = 0, skip = 0 }, number = 0 }
  if options.tap then
    io.write "TAP version 13\n"
    return setmetatable(reporter, Tap)
  end
  return setmetatable(reporter, Text)
end

-- JUnit. The format has no specification; this is what Jenkins and GitLab read.

local entities = { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;", ['"'] = "&quot;" }

-- XML takes no other control characters, however escaped, and only UTF-8.
local function xml(text)
  return (visible(text):gsub('[<>&"]', entities))
end

local function first_line(text)
  return text:match "^[^\n]*"
end

local function write_case(out, file, result)
  out:write(('    <testcase classname="%s" name="%s" time="%.3f"'):format(
    xml(file.path), xml(result.name), result.seconds))
  if result.outcome == "fail" then
    out:write(('>\n      <failure message="%s">%s</failure>\n    </testcase>\n'):format(
      xml(first_line(result.message)), xml(result.message)))
  elseif result.outcome == "skip" then
    out:write(('>\n      <skipped message="%s"/>\n    </testcase>\n'):format(xml(result.message)))
  else
    out:write "/>\n"
  end
end

function report.junit(out, files)
  out:write '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
  for _, file in ipairs(files) do
    local counts = count(file)
    out:write(('  <testsuite name="%s" tests="%d" failures="%d" skipped="%d" time="%.3f">\n')
      :format(xml(file.path), #file.results, counts.fail, counts.skip, file.seconds))
    for _, result in ipairs(file.results) do
      write_case(out, file, result)
    end
    if file.output ~= "" then
      out:write("    <system-out>", xml(file.output), "</system-out>\n")
    end
    out:write "  </testsuite>\n"
  end
  out:write "</testsuites>\n"
end

return report
