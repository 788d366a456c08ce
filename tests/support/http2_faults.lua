-- luge.http's client against the servers of tests/unit/http2_faults_test.c,
-- which runs these tests. What happens on kept connections is tested with nginx,
-- in tests/lua/http_nginx_test.lua: without TLS libcurl 7.88 keeps none.
local luge = require "luge"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local longer = dofile "tests/support/longer.lua"

local function url(name)
  return "http://127.0.0.1:" .. assert(os.getenv("LUGE_H2_" .. name), name)
end

local function new_client()
  return http.client { http_version = "h2c" }
end

-- Lets the server go on.
local function say_word()
  local client <close> = new_client()
  client:get(url "WORD")
end

local function failure(name, kind, options, method)
  local client <close> = new_client()
  return test.raises(kind, client[method or "get"], client, url(name), options)
end

describe("a stream that is reset", function()
  it("before its answer is a reset connection", function()
    for _, method in ipairs { "get", "post" } do
      local err = failure("RESET", "network", nil, method)
      test.equal(err.code, "reset")
      test.equal(err.phase, "headers")
      test.equal(err.retryable, true)
    end
  end)

  it("within its answer gives what came", function()
    local client <close> = new_client()
    local response <close> = client:get(url "BROKEN", { stream = true })
    test.equal(response:read(), "begun")
    say_word()
    local err = test.raises("network", response.read, response)
    test.equal(err.code, "reset")
    test.equal(err.phase, "body")
  end)

  it("for want of room again and again is a reset connection", function()
    for _, method in ipairs { "get", "post" } do
      local err = failure("REFUSED", "network", nil, method)
      test.equal(err.code, "reset")
      test.equal(err.retryable, true)
    end
  end)
end)

describe("a connection that ends", function()
  it("without a look at the request is reset", function()
    for _, method in ipairs { "get", "post" } do
      test.equal(failure("LEAVING", "network", nil, method).code, "reset")
    end
  end)

  it("within an answer breaks that off", function()
    local client <close> = new_client()
    local response <close> = client:get(url "CUT", { stream = true })
    test.equal(response:read(), "begun")
    say_word()
    test.equal(test.raises("network", response.read, response).code, "reset")
  end)
end)

describe("an answer", function()
  it("that is shorter than announced is truncated", function()
    local client <close> = new_client()
    local response <close> = client:get(url "SHORT", { stream = true })
    say_word()
    local err = test.raises("truncated", response.text, response)
    test.equal(err.phase, "body")
    test.equal(err.retryable, true)
  end)

  it("that does not come is waited for in vain", function()
    longer(0.1, function(seconds)
      local err = failure("SILENT", "timeout", { idle_timeout = seconds })
      test.equal(err.phase, "headers")
      err = failure("SILENT", "timeout", { timeout = seconds })
      test.equal(err.phase, "headers")
    end)
  end)

  it("whose head has no end is limited", function()
    local err = failure("FLOOD", "limit")
    test.equal(err.what, "head")
  end)

  it("in another protocol is none", function()
    test.equal(failure("OTHER", "network").phase, "headers")
  end)
end)

describe("a connection", function()
  it("takes one stream at a time, where that is the rule", function()
    local client <close> = http.client { http_version = "h2c", max_connections = 2 }
    local list = {}
    for i = 1, 20 do list[i] = i end
    luge.map(list, function() test.equal(client:get(url "ONE").body, "ok") end,
      { concurrency = 20 })
  end)

  it("without a window for bodies is waited for in vain", function()
    longer(0.1, function(seconds)
      local err = failure("NARROW", "timeout",
        { idle_timeout = seconds, body = ("x"):rep(100000) }, "post")
      test.equal(err.phase, "send")
    end)
  end)

  it("is not blocked by a stream that is cancelled", function()
    local client <close> = new_client()
    local tasks = {}
    for i = 1, 10 do tasks[i] = luge.spawn(client.get, client, url "SILENT") end
    luge.sleep(0.02)
    for _, task in ipairs(tasks) do
      task:cancel()
      test.raises("cancelled", luge.await, task)
    end
  end)
end)
