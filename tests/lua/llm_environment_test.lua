-- luge.llm: what the environment says of models: LUGE_MODEL, keys, addresses.
local llm = require "luge.llm"
local process = require "luge.process"
local test = require "luge.test"
local describe, it = test.describe, test.it

local provider = dofile "tests/support/provider.lua"

-- What a model says in a process with this environment.
local function say(name, env)
  for _, variable in ipairs { "LUGE_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL",
    "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "OLLAMA_HOST" } do
    if env[variable] == nil then env[variable] = false end
  end
  local code = ("print(require 'luge.llm'.model(%s):invoke('hi').content)"):format(name)
  local result = process.run { os.getenv "LUGE", "-e", code, env = env }
  return result.stdout .. result.stderr, result.code
end

describe("the environment", function()
  it("names the model", function()
    test.matches(say("", {}), "demo model")
    test.matches(say("", { LUGE_MODEL = "" }), "demo model")
    local text, code = say("", { LUGE_MODEL = "gpt" })
    test.matches(text, "'gpt' names no provider.*anthropic, demo, ollama, openai")
    test.equal(code, 1)
  end)

  it("has OpenAI's key and address", function()
    local server <close> = provider.new { provider.answer("yes") }
    local env = { LUGE_MODEL = "openai:gpt", OPENAI_API_KEY = "sk-1",
      OPENAI_BASE_URL = server.url .. "/v1/" }
    test.equal(say("", env), "yes\n")
    test.equal(server.headers[1].authorization, "Bearer sk-1")
    test.equal(server.paths[1], "/v1/chat/completions")
    test.matches(say("'openai:gpt'", {}), "OPENAI_API_KEY")
  end)

  it("has Anthropic's key and address", function()
    local server <close> = provider.new { { json = {
      content = { { type = "text", text = "yes" } }, stop_reason = "end_turn" } } }
    test.equal(say("'anthropic:c'", {
      ANTHROPIC_API_KEY = "sk-2", ANTHROPIC_BASE_URL = server.url }), "yes\n")
    test.equal(server.headers[1]["x-api-key"], "sk-2")
  end)

  it("has Ollama's host, with or without a scheme", function()
    local server <close> = provider.new { { json = {
      message = { role = "assistant", content = "yes" }, done = true } } }
    test.equal(say("'ollama:l'", { OLLAMA_HOST = server.url }), "yes\n")
    test.equal(say("'ollama:l'", { OLLAMA_HOST = (server.url:gsub("http://", "")) }), "yes\n")
  end)

  it("gives no key to servers that are named without a provider", function()
    local server <close> = provider.new { provider.answer("yes") }
    local code = ("{ base_url = '%s', model = 'm' }"):format(server.url)
    test.equal(say(code, { OPENAI_API_KEY = "sk-3" }), "yes\n")
    test.equal(server.headers[1].authorization, nil)
    test.ok(llm.model { base_url = server.url, model = "m" })
  end)
end)
