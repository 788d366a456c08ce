--- Small charts beside each other, as SVG: one line each, sizes on a logarithmic
--- axis, costs on one that begins at 0.
local plot = {}

local WIDTH, HEIGHT, MARGIN = 300, 200, 46
local COLUMNS = 3

local STYLE = [[
text { font: 11px system-ui, sans-serif; fill: #444 }
.title { font-size: 13px; font-weight: 600; fill: #111 }
.axis, .grid { stroke: #bbb; fill: none }
.grid { stroke: #eee }
.line { stroke: #2456c9; stroke-width: 2; fill: none }
.dot { fill: #2456c9 }
]]

local function element(out, ...)
  out[#out + 1] = string.format(...)
end

local function log(value)
  return math.log(value, 10)
end

--- 1, 2 or 5 times a power of ten, at least `value`.
local function round_up(value)
  local power = 10 ^ math.floor(log(value))
  for _, factor in ipairs { 1, 2, 5, 10 } do
    if factor * power >= value then
      return factor * power
    end
  end
end

local function short(n)
  for _, unit in ipairs { { 1e6, "M" }, { 1e3, "k" } } do
    if n >= unit[1] then
      return ("%g%s"):format(n / unit[1], unit[2])
    end
  end
  return ("%g"):format(n)
end

--- The lines across: values, and where each is between the bottom, 0, and the top, 1.
local function levels(panel)
  if not panel.logarithmic then
    local top = round_up(math.max(table.unpack(panel.costs)) * 1.05)
    return { 0, top / 2, top }, function(value)
      return value / top
    end
  end
  local low = math.floor(log(math.min(table.unpack(panel.costs))))
  local high = math.ceil(log(math.max(table.unpack(panel.costs))))
  local values = {}
  for power = low, high do
    values[#values + 1] = 10.0 ^ power
  end
  return values, function(value)
    return (log(value) - low) / (high - low)
  end
end

local function scales(panel)
  local low, high = log(panel.sizes[1]), log(panel.sizes[#panel.sizes])
  local wide, tall = WIDTH - MARGIN - 14, HEIGHT - 2 * MARGIN
  local values, place = levels(panel)
  local function x(size)
    return MARGIN + (log(size) - low) / (high - low) * wide
  end
  local function y(value)
    return HEIGHT - MARGIN - place(value) * tall
  end
  return x, y, values
end

local function draw_axes(out, panel, x, y, values)
  for i, value in ipairs(values) do
    local class = i == 1 and "axis" or "grid"
    element(out, '<path class="%s" d="M%d %.1fH%d"/>', class, MARGIN, y(value), WIDTH - 14)
    element(
      out,
      '<text x="%d" y="%.1f" text-anchor="end">%s</text>',
      MARGIN - 6,
      y(value) + 4,
      short(value)
    )
  end
  for _, size in ipairs(panel.sizes) do
    element(
      out,
      '<text x="%.1f" y="%d" text-anchor="middle">%s</text>',
      x(size),
      HEIGHT - MARGIN + 16,
      short(size)
    )
  end
  element(out, '<text x="%d" y="%d">%s, by %s</text>', MARGIN, HEIGHT - 12, panel.unit, panel.x)
end

local function draw(out, panel, left, top_edge)
  local x, y, values = scales(panel)
  local points = {}
  element(out, '<g transform="translate(%d %d)">', left, top_edge)
  element(out, '<text class="title" x="%d" y="24">%s</text>', MARGIN, panel.title)
  draw_axes(out, panel, x, y, values)
  for i, size in ipairs(panel.sizes) do
    points[i] = ("%.1f %.1f"):format(x(size), y(panel.costs[i]))
    element(out, '<circle class="dot" cx="%.1f" cy="%.1f" r="3"/>', x(size), y(panel.costs[i]))
  end
  element(out, '<path class="line" d="M%s"/>', table.concat(points, "L"))
  element(out, "</g>")
end

--- The drawing of `panels`: each has title, x, unit, sizes and costs.
function plot.svg(panels)
  local rows = (#panels + COLUMNS - 1) // COLUMNS
  local out = {}
  element(
    out,
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">',
    COLUMNS * WIDTH,
    rows * HEIGHT
  )
  element(out, "<style>%s</style>", STYLE)
  element(out, '<rect width="100%%" height="100%%" fill="#fff"/>')
  for i, panel in ipairs(panels) do
    draw(out, panel, (i - 1) % COLUMNS * WIDTH, (i - 1) // COLUMNS * HEIGHT)
  end
  element(out, "</svg>\n")
  return table.concat(out, "\n")
end

return plot
