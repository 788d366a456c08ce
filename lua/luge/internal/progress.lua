-- The progress bar of `map`, on standard error, and only where that is a
-- terminal. It is drawn ten times a second at most, and at the end.
local native = require "luge.native.task"
local is_terminal = require("luge.native.terminal").is_terminal

local Bar = {}
Bar.__index = Bar

local WIDTH, PERIOD = 30, 0.1

-- The line for `done` of `total` items (nil: how many is not known).
local function render(done, total)
  if not total or total == 0 then
    return ("%d done"):format(done)
  end
  local filled = WIDTH * done // total
  return ("[%s%s] %d/%d %d%%"):format(("#"):rep(filled), ("."):rep(WIDTH - filled), done, total,
    100 * done // total)
end

local function draw(bar)
  bar.drawn = native.now()
  io.stderr:write("\r", render(bar.done, bar.total))
end

-- One more item is done.
function Bar:step()
  self.done = self.done + 1
  if native.now() - self.drawn >= PERIOD then
    draw(self)
  end
end

function Bar:__close()
  draw(self)
  io.stderr:write("\n")
end

-- A bar, or nil where nobody would see it.
local function new(total)
  if not is_terminal(2) then
    return nil
  end
  local bar = setmetatable({ done = 0, total = total }, Bar)
  draw(bar)
  return bar
end

return { new = new, render = render }
