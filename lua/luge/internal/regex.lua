--- Whether a string matches an ECMA-262 regular expression, in time that is
--- linear in the string: the pattern becomes a nondeterministic automaton, all
--- of whose states are followed at once (Thompson, 1968).
--
-- The program is a list of instructions:
--   { op = "set", ranges =, negated = }   takes a character
--   { op = "split", x, y }, { op = "jump", x }
--   { op = "assert", name = }
--   { op = "match" }

local parse = require "luge.internal.regex_parser"

local MAX_PROGRAM = 20000

local emit = {}

local function push(program, instruction)
  program[#program + 1] = instruction
  return instruction
end

-- Every node counts: repeating what emits nothing takes time as well.
local function emit_node(program, node)
  program.nodes = program.nodes + 1
  if program.nodes > MAX_PROGRAM then
    error({ message = "is a pattern that is too large" }, 0)
  end
  return emit[node.kind](program, node)
end

function emit.set(program, node)
  push(program, { op = "set", ranges = node.ranges, negated = node.negated })
end

emit["assert"] = function(program, node)
  push(program, { op = "assert", name = node.name })
end

function emit.cat(program, node)
  for _, part in ipairs(node) do
    emit_node(program, part)
  end
end

function emit.alt(program, node)
  local jumps = {}
  for i = 1, #node - 1 do
    local split = push(program, { op = "split" })
    split[1] = #program + 1
    emit_node(program, node[i])
    jumps[i] = push(program, { op = "jump" })
    split[2] = #program + 1
  end
  emit_node(program, node[#node])
  for _, jump in ipairs(jumps) do
    jump[1] = #program + 1
  end
end

function emit.rep(program, node)
  for _ = 1, node.min do
    emit_node(program, node[1])
  end
  if node.max == math.huge then
    local start = #program + 1
    local split = push(program, { op = "split", start + 1 })
    emit_node(program, node[1])
    push(program, { op = "jump", start })
    split[2] = #program + 1
    return
  end
  local splits = {}
  for i = 1, node.max - node.min do
    splits[i] = push(program, { op = "split", #program + 2 })
    emit_node(program, node[1])
  end
  for _, split in ipairs(splits) do
    split[2] = #program + 1
  end
end

local function in_set(instruction, code)
  local ranges = instruction.ranges
  local found = false
  for i = 1, #ranges, 2 do
    if code >= ranges[i] and code <= ranges[i + 1] then
      found = true
      break
    end
  end
  return found ~= (instruction.negated or false)
end

local function is_word(code)
  return code ~= nil and (code >= 0x30 and code <= 0x39 or code >= 0x41 and code <= 0x5A
    or code == 0x5F or code >= 0x61 and code <= 0x7A)
end

local function holds(name, before, after)
  if name == "^" then
    return before == nil
  elseif name == "$" then
    return after == nil
  end
  return (is_word(before) ~= is_word(after)) == (name == "b")
end

-- Adds the instruction `at` and all that are reached from it without taking a
-- character; whether the match is one of them. `seen` has those that were
-- added in this step.
local function follow(program, states, seen, at, before, after)
  local pending = { at }
  while #pending > 0 do
    local i = table.remove(pending)
    local instruction = program[i]
    local op = instruction.op
    if seen[i] then
      op = nil
    end
    seen[i] = true
    if op == "match" then
      return true
    elseif op == "set" then
      states[#states + 1] = i
    elseif op == "jump" then
      pending[#pending + 1] = instruction[1]
    elseif op == "split" then
      pending[#pending + 1] = instruction[1]
      pending[#pending + 1] = instruction[2]
    elseif op == "assert" and holds(instruction.name, before, after) then
      pending[#pending + 1] = i + 1
    end
  end
  return false
end

-- A set leads to the next instruction.
local function step(program, states, code, after)
  local reached, seen = {}, {}
  for _, i in ipairs(states) do
    if in_set(program[i], code) and follow(program, reached, seen, i + 1, code, after) then
      return nil, nil
    end
  end
  return reached, seen
end

-- A match may begin anywhere.
local function search(program, text)
  local codes = utf8.len(text) and { n = utf8.len(text) } or { text:byte(1, -1) }
  if codes.n then
    local count = 0
    for _, code in utf8.codes(text) do
      count = count + 1
      codes[count] = code
    end
  end
  local states, seen = {}, {}
  for position = 1, #codes + 1 do
    local before, after = codes[position - 1], codes[position]
    if follow(program, states, seen, 1, before, after) then
      return true
    elseif after == nil then
      return false
    end
    states, seen = step(program, states, after, codes[position + 1])
    if not states then
      return true
    end
  end
end

--- A function that tells whether a string matches somewhere; nil and what is
--- wrong with the pattern if it cannot be made.
---@param pattern string
---@return (fun(text: string): boolean)?
---@return string?
return function(pattern)
  local tree, message = parse(pattern)
  if not tree then
    return nil, message
  end
  local program = { nodes = 0 }
  local ok, failed = pcall(emit_node, program, tree)
  if not ok then
    return nil, failed.message or error(failed, 0)
  end
  program[#program + 1] = { op = "match" }
  return function(text)
    return search(program, text)
  end
end
