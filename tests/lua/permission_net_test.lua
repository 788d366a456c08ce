-- Hosts and addresses: what a script may connect to and listen on, by whatever
-- name it is called.
local test = require "luge.test"
local http = require "luge.http"
local describe, it = test.describe, test.it
local permission = dofile "tests/support/permission.lua"

-- Runs code, in which PORT is that of a server of this process, which answers
-- with the host that it was asked for, and `get` prints what comes.
local function with_server(options, code, env)
  local folder <close> = permission.folder()
  local server <close> = http.server {
    handler = function(request)
      local target = request.query and request.query.to
      if target then
        return { status = 302, headers = { location = target } }
      end
      return "seen"
    end,
  }
  for i, option in ipairs(options) do
    options[i] = option:gsub("PORT", server.port)
  end
  local lines = folder:lines(options, ([[
    local http = require "luge.http"
    local PORT = %d
    local function get(url, options)
      try(function() return http.get(url:gsub("PORT", PORT), options).body end)
    end
  ]]):format(server.port) .. code, env)
  for i, line in ipairs(lines) do
    lines[i] = line:gsub(tostring(server.port), "PORT")
  end
  return lines
end

describe("entries that make no sense", function()
  it("say why", function()
    local folder <close> = permission.folder()
    for entry, why in pairs {
      ["http://a"] = "it is a URL", ["127.0.0.1/8"] = "zeros behind its bits",
      ["127.1"] = "no host and no address", ["a:x"] = "no number up to 65535",
    } do
      local got = folder:run({ "--allow-net=" .. entry }, "")
      test.equal(got.code, 2)
      test.matches(got.stderr, why)
    end
  end)
end)

describe("addresses with a zone", function()
  it("are allowed by what the message says", function()
    local folder <close> = permission.folder()
    local got = folder:run({ "--allow-net=127.0.0.1" },
      'require("luge.http").server { host = "::1%lo" }')
    local option = got.stderr:match "([^ ]+) allows it"
    test.equal(option, "--allow-net=[::1]:0")
    test.equal(folder:run({ option }, "").code, 0)
  end)
end)

describe("hosts that are allowed", function()
  it("are those of the name, or the address, and the port", function()
    local code = [[
      get "http://127.0.0.1:PORT/"
      get "http://localhost:PORT/"
      get "http://LOCALHOST.:PORT/"
      get "http://127.0.0.1:1/"
      get "http://name.invalid:PORT/"
    ]]
    local lines = with_server({ "--allow-net=127.0.0.1:PORT" }, code)
    test.matches(table.remove(lines), "^network\t", "names may lead to the address")
    test.same(lines, {
      "ok\tseen", "ok\tseen", "ok\tseen", "permission\tnet\t127.0.0.1:1",
    })
    test.same(with_server({ "--allow-net=localhost:PORT" }, code), {
      "ok\tseen", "ok\tseen", "ok\tseen", "permission\tnet\t127.0.0.1:1",
      "permission\tnet\tname.invalid:PORT",
    })
    test.same(with_server({ "--allow-net=*:PORT", "--deny-net=*.invalid" }, code), {
      "ok\tseen", "ok\tseen", "ok\tseen", "permission\tnet\t127.0.0.1:1",
      "permission\tnet\tname.invalid:PORT",
    })
    test.same(with_server({ "--allow-net=[::1]:PORT,*.example.com" }, [[
      get "http://127.0.0.1:PORT/"
      get "http://example.com/"
      get "http://badexample.com/"
      get "http://example.com.evil/"
      get "http://x.example.com.evil/"
    ]]), {
      "permission\tnet\t127.0.0.1:PORT", "permission\tnet\texample.com:80",
      "permission\tnet\tbadexample.com:80", "permission\tnet\texample.com.evil:80",
      "permission\tnet\tx.example.com.evil:80",
    })
  end)

  it("are not reached by URLs that look like them", function()
    local lines = with_server({ "--allow-net=localhost" }, [[
      get "http://localhost@192.0.2.1:PORT/"
      get "http://192.0.2.1:PORT/#@localhost"
      get "http://192.0.2.1:PORT/?@localhost:1/"
      get "http://localhost:PORT@192.0.2.1/"
      get "http://localhost.evil.com:PORT/"
      get "http://192.0.2.1:PORT/@localhost"
    ]])
    for _, line in ipairs(lines) do
      test.matches(line, "^permission\tnet\t")
    end
    for _, line in ipairs(with_server({ "--allow-net=localhost" }, [[
      get "http://localhost\0.evil.com:PORT/"
      get("http://" .. ("a."):rep(130) .. "com/")
      get "http:///etc/passwd"
      get "ftp://localhost:PORT/"
      get "file:///etc/passwd"
    ]])) do
      test.ok(line:find "^invalid" or line:find "^permission", line)
    end
  end)

  it("do not lead to others by redirects", function()
    test.same(with_server({ "--allow-net=127.0.0.1:PORT" }, [[
      get "http://127.0.0.1:PORT/?to=/here"
      get "http://127.0.0.1:PORT/?to=http://127.0.0.1:1/"
      get "http://127.0.0.1:PORT/?to=http://169.254.169.254/latest"
      get("http://127.0.0.1:PORT/?to=http://10.0.0.1/", { stream = true })
    ]]), {
      "ok\tseen", "permission\tnet\t127.0.0.1:1", "permission\tnet\t169.254.169.254:80",
      "permission\tnet\t10.0.0.1:80",
    })
  end)

  it("are not left by proxies, from options or the environment", function()
    local lines = with_server({ "--allow-net=127.0.0.1:PORT,example.com" }, [[
      get("http://example.com/", { proxy = "http://127.0.0.1:1" })
      get("http://127.0.0.1:PORT/", { proxy = "socks5h://192.0.2.1:1080" })
      get("http://169.254.169.254/", { proxy = "http://127.0.0.1:" .. PORT })
      get("http://example.com/", { proxy = "http://127.0.0.1:" .. PORT })
    ]])
    test.same(lines, {
      "permission\tnet\t127.0.0.1:1", "permission\tnet\t192.0.2.1:1080",
      "permission\tnet\t169.254.169.254:80", "ok\tseen",
    })
    test.same(with_server({ "--allow-net=example.com" }, [[ get "http://example.com/" ]],
      { http_proxy = "http://192.0.2.1:3128" }), { "permission\tnet\t192.0.2.1:3128" })
  end)
end)

describe("addresses that are denied", function()
  it("are denied in every spelling", function()
    local code = [[
      for _, host in ipairs { "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0",
          "0x7f000001", "127.0.0.1.", "localhost", "LocalHost.", "any.localhost",
            "[::ffff:127.0.0.1]",
          "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]" } do
        get("http://" .. host .. ":PORT/")
      end
    ]]
    for _, deny in ipairs { "localhost", "127.0.0.0/8,::1", "0.0.0.0/0,::/0" } do
      local lines = with_server({ "--allow-net", "--deny-net=" .. deny }, code)
      test.equal(#lines, 17)
      for _, line in ipairs(lines) do
        test.matches(line, "^permission\tnet\t", deny)
      end
    end
  end)

  it("are denied before anybody connects: metadata, private and local ranges", function()
    for _, line in ipairs(with_server({ "--allow-net",
      "--deny-net=169.254.0.0/16,100.64.0.0/10,10.0.0.0/8,224.0.0.0/4,fe80::/10,fd00::/8" }, [[
      for _, host in ipairs { "169.254.169.254", "0xa9fea9fe", "100.64.1.1", "10.0.0.1",
        "224.0.0.1",
          "[fe80::1]", "[fd00::1]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]",
          "[2002:a9fe:a9fe::]" } do
        get("http://" .. host .. "/")
      end
    ]])) do
      test.matches(line, "^permission\tnet\t")
    end
  end)
end)

describe("listening and sockets", function()
  it("takes the address and the port", function()
    local folder <close> = permission.folder()
    test.same(folder:lines({ "--allow-net=127.0.0.1:0,127.0.0.1:1" }, [[
      local http = require "luge.http"
      local function listen(options)
        options.handler = print
        try(function() http.server(options):close() end)
      end
      listen {}
      listen { host = "localhost" }
      listen { host = "0.0.0.0" }
      listen { host = "::1" }
      listen { port = 8080 }
      listen { path = "in/socket" }
    ]]), {
      "ok\tnil", "ok\tnil", "permission\tnet\t0.0.0.0:0", "permission\tnet\t[::1]:0",
      "permission\tnet\t127.0.0.1:8080", "permission\twrite\t~/in/socket",
    })
  end)

  it("of paths takes both to read and to write", function()
    local folder <close> = permission.folder()
    local code = [[
      local http = require "luge.http"
      try(function()
        local server <close> = http.server { path = "in/socket",
          handler = function() return "seen" end }
        return http.get("http://localhost/", { unix_socket = "in/socket" }).body
      end)
    ]]
    test.matches(folder:lines({ "--allow-read=in", "--allow-net" }, code)[1], "^permission\twrite")
    test.matches(folder:lines({ "--allow-write=in", "--allow-net" }, code)[1], "^permission\tread")
    local both = { "--allow-read=in", "--allow-write=in" }
    test.matches(folder:lines(both, code)[1], "^ok\tseen")
    local missing = folder:lines(both, [[
      local http = require "luge.http"
      print(pcall(http.get, "http://localhost/", { unix_socket = "in/socket" }))
    ]])
    test.matches(missing[1], "there is no such socket")
  end)

  it("of names that are no paths takes all of them", function()
    local folder <close> = permission.folder()
    local code = 'require("luge.http").server { path = "@luge-test" }:close()'
    local got = folder:run({ "--allow-write=@luge-test,." }, code)
    test.matches(got.stderr, "only %-%-allow%-write without a list allows it")
    test.equal(folder:run({ "--allow-write" }, code).code, 0)
  end)
end)
