-- A chat in the browser: answers come piece by piece, as Server-Sent Events,
-- and every conversation is remembered. When a browser leaves, the request to
-- the model ends, too.
--
--   luge examples/chat_server.lua 8080    serves until it is interrupted
--   luge examples/chat_server.lua         asks itself two questions, and ends

local http = require "luge.http"
local llm = require "luge.llm"

local port = tonumber((...))
local page = [[
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chat</title>
<style>
  body { font: 1rem/1.5 sans-serif; max-width: 38rem; margin: 2rem auto; padding: 0 1rem }
  p { padding: .5rem 1rem; border-radius: .5rem; white-space: pre-wrap; overflow-wrap: anywhere }
  .user { background: #e4eefc; margin-left: 4rem }
  .model { background: #f2f2f2; margin-right: 4rem }
  input { font: inherit; width: 100%; padding: .5rem; box-sizing: border-box }
</style>
<main id="talk"></main>
<form id="form"><input id="text" placeholder="Say something" autofocus required></form>
<script>
  const $ = id => document.getElementById(id)
  const chat = crypto.randomUUID()
  const add = (who, text) => {
    const p = document.createElement("p")
    p.className = who
    p.textContent = text
    return $("talk").appendChild(p)
  }
  $("form").onsubmit = event => {
    event.preventDefault()
    add("user", $("text").value)
    const answer = add("model", "")
    const finish = note => {
      answer.textContent += note
      source.close()
      $("text").disabled = false
      $("text").focus()
    }
    const source = new EventSource(`/chat/${chat}?text=${encodeURIComponent($("text").value)}`)
    $("text").value = ""
    $("text").disabled = true
    source.onmessage = event => { answer.textContent += JSON.parse(event.data).text }
    source.addEventListener("done", () => finish(""))
    source.onerror = () => finish(" (the connection broke)")
  }
</script>
</html>
]]

local prompt = llm.prompt {
  { "system", "Answer briefly." }, llm.slot "history", { "user", "{text}" },
}
local chain = prompt | llm.model() | llm.text()

-- What was said, by conversation. It is kept as long as the server runs.
local histories = {}

local function conversation(id)
  histories[id] = histories[id] or llm.history { limit = 20 }
  return chain:with_history(histories[id])
end

local server = http.server { port = port or 0 }

server:route("GET", "/", function()
  return { headers = { ["Content-Type"] = "text/html; charset=utf-8" }, body = page }
end)

server:route("GET", "/chat/:id", function(req)
  return { events = function(emit)
    for piece in conversation(req.params.id):stream { text = req.query.text or "" } do
      emit { data = { text = piece } }
    end
    emit { event = "done", data = "" }
  end }
end)

local function ask(text)
  local url = server.url .. "/chat/1"
  local answer <close> = http.get(url, { query = { text = text }, stream = true })
  local pieces = 0
  for event in answer:events() do
    pieces = pieces + (event.event == "message" and 1 or 0)
  end
  print(("%s %d pieces; %d messages are remembered"):format(text, pieces,
    #histories["1"]:messages()))
end

if port then
  print("Listening on " .. server.url) -- and until the server is closed, luge runs
else
  ask "Who are you?"
  ask "What did I ask?"
  server:close()
end

-- Prints:
--   Who are you? ... pieces; 2 messages are remembered
--   What did I ask? ... pieces; 4 messages are remembered
