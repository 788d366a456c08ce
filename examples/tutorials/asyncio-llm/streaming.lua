-- A streamed answer, read from the Server-Sent Events of the API itself. With
-- OPENAI_API_KEY, also from a .env file, it asks OpenAI; without, a service of
-- its own. (`llm.model():stream(prompt)` does the same for every provider.)

local luge = require "luge"
local env = require "luge.env"
local http = require "luge.http"
local json = require "luge.json"

local service <close> = http.server {
  handler = function()
    return { events = function(emit)
      for piece in ("Two worlds at once, | until you look: | then one."):gmatch "[^|]+" do
        luge.sleep(0.02)
        emit { data = { choices = { { delta = { content = piece } } } } }
      end
      emit "[DONE]"
    end }
  end,
}

env.load()
local key = env.get "OPENAI_API_KEY"

local session <close> = http.client {
  base_url = key and env.get("OPENAI_BASE_URL", "https://api.openai.com/v1") or service.url,
  auth = { bearer = key or "none" },
}

local function stream_answer(prompt)
  print("prompt: " .. prompt)
  io.write "answer: "
  local response <close> = session:post("/chat/completions", {
    stream = true,
    json = {
      model = "gpt-4o-mini",
      messages = { { role = "user", content = prompt } },
      stream = true,
    },
  }):raise_for_status()
  for event in response:events() do
    if event.data == "[DONE]" then
      break
    end
    local choice = json.decode(event.data).choices[1]
    io.write(choice and choice.delta.content or "")
  end
  print()
end

stream_answer "Explain quantum computing as a poem."

-- Prints:
--   prompt: Explain quantum computing as a poem.
--   answer: Two worlds at once,  until you look:  then one.
