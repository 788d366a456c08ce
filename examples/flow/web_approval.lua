-- A person in the loop, on a web page: each text that is handed in is a flow of
-- its own, which shortens it and waits until somebody approves of the result or
-- rejects it. Any number of flows wait at the same time, while others go on.
--
--   luge examples/flow/web_approval.lua 8080   serves until it is interrupted
--   luge examples/flow/web_approval.lua        presses the buttons itself

local flow = require "luge.flow"
local http = require "luge.http"
local llm = require "luge.llm"
local luge = require "luge"

local port = tonumber((...))
local shorten = llm.prompt "Summarize in {n} sentences:\n{text}" | llm.model() | llm.text()
local pending, count = {}, 0 -- what waits for a person, by its number
local verdicts = { approved = true, rejected = true }

local draft = flow.node {
  prep = function(_, shared) return { n = shared.sentences, text = shared.text } end,
  exec = function(_, input) return shorten:invoke(input) end,
  post = function(_, shared, _, text) shared.draft = text end,
}

local review = flow.node {
  prep = function(_, shared)
    local item = { text = shared.draft, verdict = luge.future() }
    pending[shared.number] = item
    return item
  end,
  exec = function(_, item) return item.verdict:await() end, -- minutes, or days
  post = function(_, shared, item, verdict)
    print(("%s: %s"):format(verdict, item.text))
    shared.sentences = shared.sentences + 1 -- the next one says more
    return verdict
  end,
}

draft:next(review):on("rejected", draft)
review:on("approved", flow.node { exec = function() end })
local publish = flow.new { start = draft }

local page = [[<!doctype html><html lang=en><meta charset=utf-8><title>Review</title>
<style>
  body { font: 1rem/1.5 sans-serif; max-width: 38rem; margin: 2rem auto; padding: 0 1rem }
  textarea { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem }
  button { font: inherit; padding: .25rem 1rem; margin: .5rem .5rem 0 0 }
  p { margin: 2rem 0 0 }
</style>
<h1>Review</h1>
<form method=post action=/texts>
<label>A text to be shortened<textarea name=text rows=4 required></textarea></label>
<button>Hand in</button></form>
<p><a href=/>See what waits for a verdict</a>]]
local row = [[<p class=text>%s</p>
<form method=post><button formaction=/review/%d/approved>Approve</button>
<button formaction=/review/%d/rejected>Reject</button></form>]]
local back = { status = 303, headers = { Location = "/" } }

local server = http.server { port = port or 0 }

server:route("GET", "/", function()
  local rows = { page }
  for number = 1, count do
    if pending[number] then
      local text = pending[number].text:gsub("[<&]", { ["<"] = "&lt;", ["&"] = "&amp;" })
      table.insert(rows, row:format(text, number, number))
    end
  end
  return { headers = { ["Content-Type"] = "text/html" }, body = table.concat(rows) }
end)

server:route("POST", "/texts", function(req)
  local text = req:form().text
  if not text then return { status = 400 } end
  count = count + 1
  luge.detach(publish.run, publish, { number = count, text = text, sentences = 1 })
  return back
end)

server:route("POST", "/review/:number/:verdict", function(req)
  local number = tonumber(req.params.number)
  local item = pending[number]
  if not item or not verdicts[req.params.verdict] then return { status = 404 } end
  pending[number] = nil
  item.verdict:resolve(req.params.verdict)
  return back
end)

local function hand_in(text)
  http.post(server.url .. "/texts", { form = { text = text } }):raise_for_status()
end

local function press(path) -- once the page has the button
  while not http.get(server.url).body:find(path, 1, true) do luge.sleep(0.01) end
  http.post(server.url .. path):raise_for_status()
end

if port then
  print("Listening on " .. server.url)
else
  hand_in "The sea is deep. It is cold."
  hand_in "Tea is hot. It is green."
  press "/review/2/approved"
  press "/review/1/rejected"
  press "/review/1/approved"
  server:close(1)
end

-- Prints:
--   approved: Tea is hot.
--   rejected: The sea is deep.
--   approved: The sea is deep. It is cold.
