-- A web server that passes on a model's answer piece by piece, as Server-Sent
-- Events. When the browser leaves, the request to the model ends, too.
--
--   luge examples/chat_server.lua 8080    serves until it is interrupted
--   luge examples/chat_server.lua         asks itself one question, and ends

local http = require "luge.http"
local llm = require "luge.llm"

local port = tonumber((...))
local explain = llm.prompt "Explain {topic} in one sentence." | llm.model() | llm.text()

local page = [[
<!doctype html><title>Explain</title>
<form><input name=topic autofocus placeholder="a topic"></form><p></p>
<script>
  const [form, text] = [document.forms[0], document.querySelector("p")]
  form.onsubmit = () => {
    text.textContent = ""
    const source = new EventSource("/explain/" + encodeURIComponent(form.topic.value))
    source.onmessage = e => text.append(e.data)
    source.addEventListener("done", () => source.close())
    return false
  }
</script>
]]

local server = http.server { port = port or 0 }

server:route("GET", "/", function()
  return { headers = { ["Content-Type"] = "text/html" }, body = page }
end)

server:route("GET", "/explain/:topic", function(req)
  return { events = function(emit)
    for piece in explain:stream { topic = req.params.topic } do emit(piece) end
    emit { event = "done", data = "" }
  end }
end)

if port then
  print("Listening on " .. server.url) -- and until the server is closed, luge runs
else
  local answer <close> = http.get(server.url .. "/explain/tides", { stream = true })
  for event in answer:events() do
    if event.event == "done" then break end
    io.write(event.data)
  end
  print()
  server:close()
end
