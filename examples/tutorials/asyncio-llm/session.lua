-- One HTTP session for many calls of a model's API: connections are kept and
-- shared. With OPENAI_API_KEY it asks OpenAI; without, a service of its own.
-- (luge.llm does all of this, and more: see worker_pool.lua.)

local luge = require "luge"
local env = require "luge.env"
local http = require "luge.http"

-- The service that answers when there is no key.
local service <close> = http.server {
  handler = function(req)
    local prompt = req:json().messages[1].content
    return { json = { choices = { { message = { content = "An answer to: " .. prompt } } } } }
  end,
}

local key = env.get "OPENAI_API_KEY"

local function call_api(session, prompt)
  local response = session:post("/chat/completions", {
    json = {
      model = "gpt-4o-mini",
      messages = { { role = "user", content = prompt } },
    },
  })
  local result = response:json()
  if result.error then
    return "error: " .. result.error.message
  end
  return result.choices[1].message.content
end

local prompts = {
  "What are the advantages of Lua?",
  "What is machine learning?",
  "What is asynchronous programming good for?",
}

local session <close> = http.client {
  base_url = key and env.get("OPENAI_BASE_URL", "https://api.openai.com/v1") or service.url,
  auth = { bearer = key or "none" },
}

local answers = luge.map(prompts, function(prompt)
  return call_api(session, prompt)
end)

for i, prompt in ipairs(prompts) do
  print("prompt: " .. prompt)
  print("answer: " .. answers[i] .. "\n")
end

-- Prints:
--   prompt: What are the advantages of Lua?
--   answer: An answer to: What are the advantages of Lua?
--
--   prompt: What is machine learning?
--   answer: An answer to: What is machine learning?
--
--   prompt: What is asynchronous programming good for?
--   answer: An answer to: What is asynchronous programming good for?
