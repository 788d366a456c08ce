-- An object of each public class that has methods, made as its users do: what
-- the running methods are is read off them.
local luge = require "luge"
local chain = require "luge.chain"
local flow = require "luge.flow"
local fs = require "luge.fs"
local http = require "luge.http"
local json = require "luge.json"
local llm = require "luge.llm"
local log = require "luge.log"
local net = require "luge.net"
local process = require "luge.process"
local store = require "luge.store"
local test = require "luge.test"
local worker = require "luge.worker"

local node = { exec = function() end }
local tool = { name = "sample", run = function() end }

-- Each gets `use`, which is to be called with the sample while that is good.
local samples = {
  ["luge.Task"] = function(use) use(luge.current()) end,
  ["luge.Scope"] = function(use) luge.scope(use) end,
  ["luge.Future"] = function(use) use(luge.future()) end,
  ["luge.Queue"] = function(use) use(luge.queue()) end,
  ["luge.Semaphore"] = function(use) use(luge.semaphore(1)) end,
  ["luge.Event"] = function(use) use(luge.event()) end,
  ["luge.Condition"] = function(use) use(luge.condition()) end,
  ["luge.Barrier"] = function(use) use(luge.barrier(1)) end,
  ["luge.Limiter"] = function(use) use(luge.limiter { rate = 1 }) end,
  ["luge.Stream"] = function(use) use((luge.from {})) end,
  ["luge.Stdin"] = function(use) use(luge.stdin) end,
  ["luge.Output"] = function(use) use(luge.stdout) end,
  ["luge.Runnable"] = function(use) use(chain.pass()) end,
  ["luge.chain.Graph"] = function(use) use(chain.pass():graph()) end,
  ["luge.flow.Node"] = function(use) use(flow.node(node)) end,
  ["luge.flow.BatchNode"] = function(use) use(flow.batch_node(node)) end,
  ["luge.flow.Flow"] = function(use) use(flow.new()) end,
  ["luge.flow.BatchFlow"] = function(use) use(flow.batch {}) end,
  ["luge.json.Reader"] = function(use) use(json.reader()) end,
  ["luge.json.Schema"] = function(use) use(json.schema {}) end,
  ["luge.llm.History"] = function(use) use(llm.history()) end,
  ["luge.llm.Prompt"] = function(use) use(llm.prompt "") end,
  ["luge.llm.Tool"] = function(use) use(llm.tool(tool)) end,
  ["luge.llm.Agent"] = function(use) use(llm.agent { model = "demo" }) end,
  ["luge.Logger"] = function(use) use(log.with {}) end,
}

-- A sample that is closed after its use.
local function closed(name, make)
  samples[name] = function(use)
    local sample <close> = make()
    use(sample)
  end
end

closed("luge.fs.File", fs.temp)
closed("luge.store.Store", store.memory)
closed("luge.process.Child", function() return process.spawn { "true" } end)
closed("luge.test.Clock", test.clock)
closed("luge.net.Server", net.listen)
closed("luge.worker.Pool", worker.pool)
closed("luge.http.Client", http.client)

-- Of something that is closed after its use: `get` of what `make` makes.
local function part(name, make, get)
  samples[name] = function(use)
    local whole <close> = make()
    use(get(whole))
  end
end

part("luge.store.Part", store.memory, function(memory) return memory:at "x" end)
part("luge.store.Log", store.memory, function(memory) return memory:log "x" end)
part("luge.process.Input", function() return process.spawn { "true" } end,
  function(child) return child.stdin end)
part("luge.process.Output", function() return process.spawn { "true" } end,
  function(child) return child.stdout end)

samples["luge.net.Connection"] = function(use)
  local server <close> = net.listen()
  local conn <close> = net.connect(server.host, server.port)
  use(conn)
end

local function with_server(handler, fn)
  local server <close> = http.server { handler = handler }
  fn(server)
end

samples["luge.http.Server"] = function(use)
  with_server(function() return "" end, use)
end

samples["luge.http.ServerRequest"] = function(use)
  with_server(function(req)
    use(req)
    return ""
  end, function(server) http.get(server.url) end)
end

local function with_answer(fn)
  with_server(function() return "data: x\n\n" end, function(server)
    local answer <close> = http.get(server.url, { stream = true })
    fn(answer)
  end)
end

samples["luge.http.Response"] = with_answer

samples["luge.http.Headers"] = function(use)
  with_answer(function(answer) use(answer.headers) end)
end

samples["luge.http.Reader"] = function(use)
  with_answer(function(answer) use((answer:events())) end)
end

return samples
