-- A chat in the terminal that remembers: what was said is in a store, for the next
-- time. Ctrl-C cancels an answer, or leaves where nothing is being answered.
--
--   luge examples/chat.lua [FILE]     FILE: the store, else it is in memory
local luge = require "luge"
local llm = require "luge.llm"
local store = require "luge.store"

local kept <close> = arg[1] and store.sqlite(arg[1]) or store.memory()
local history = llm.history { store = kept, limit = 100 }
local chat = llm.prompt {
  { "system", "Be kind, and brief." },
  llm.slot "history",
  { "user", "{text}" },
} | llm.model() | llm.text()
chat = chat:with_history(history)

local answering -- the task that does, if one does

local function answer(text)
  for piece in chat:stream { text = text } do io.write(piece) end
  print()
end

local commands = {
  ["/forget"] = function() history:clear() end,
  ["/history"] = function()
    for _, message in ipairs(history:messages()) do print(message.role, message) end
  end,
}

local interrupts = luge.signal("SIGINT", function()
  if not answering then os.exit(130) end
  answering:cancel "interrupted"
end)

io.write "> "
for line in io.lines() do
  local command = commands[line]
  if command then
    command()
  elseif line:find "%S" then
    answering = luge.spawn(answer, line)
    local ok, err = pcall(luge.await, answering)
    answering = nil
    if not ok then print("[" .. tostring(err) .. "]") end -- the chat goes on
  end
  io.write "> "
end
interrupts:cancel()
print()

-- Given:
--   My cat is called Mitsy.
--   How is my cat called?
--   /history

-- Prints:
--   > I will remember that, as far as a demo model remembers.
--   > You said: "My cat is called Mitsy."
--   > user	My cat is called Mitsy.
--   assistant	I will remember that, as far as a demo model remembers.
--   user	How is my cat called?
--   assistant	You said: "My cat is called Mitsy."
--   >
