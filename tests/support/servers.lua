-- Servers that others wrote, for tests, on ports that the system gives. Each
-- belongs to the task that starts it, and is closed by `close()` or `<close>`.
local luge = require "luge"
local fs = require "luge.fs"
local http = require "luge.http"
local process = require "luge.process"

local servers = {}

local home = os.getenv "XDG_CACHE_HOME" or (os.getenv "HOME" or "") .. "/.cache"

-- Where distributions put them beside PATH, and scripts/setup.
local folders = {
  "/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin",
  home .. "/luge/nginx/usr/sbin",
}

--- The path of the program, or nil.
function servers.find(name)
  for folder in ((os.getenv "PATH" or "") .. ":" .. table.concat(folders, ":")):gmatch "[^:]+" do
    local path = folder .. "/" .. name
    if fs.exists(path) then return path end
  end
  return nil
end

--- Why a test that needs the program is skipped, or nil.
function servers.missing(name)
  return not servers.find(name) and "there is no " .. name or nil
end

-- One that nobody has at the moment.
local function free_port()
  local server <close> = http.server {}
  return server.port
end

-- Whether somebody takes connections there.
local function is_open(port)
  local client <close> = http.client { idle_timeout = 1 }
  local ok, err = pcall(client.get, client, "http://127.0.0.1:" .. port)
  return ok or err.code ~= "connect"
end

-- Reads what it says until `is_up(line)`; or, without that, waits until the
-- port is open. False: it has ended, and what it said. (SIGCONT tells whether
-- it lives, and changes nothing.)
local function wait_for(child, port, is_up)
  local said = {}
  if not is_up then
    repeat
      luge.sleep(0.002)
      if not child:kill "SIGCONT" then return false, child.stdout:next() or "" end
    until is_open(port)
    return child:kill "SIGCONT", "the port is in use"
  end
  for line in child.stdout:lines() do
    if is_up(line) then return true end
    said[#said + 1] = line
  end
  return false, table.concat(said, "\n")
end

-- Starts `make(port)`. Another may take the port first: then again.
local function start(make, is_up)
  for _ = 1, 10 do
    local port = free_port()
    local child = process.spawn(make(port))
    local ok, said = wait_for(child, port, is_up)
    if ok then
      local drain = luge.spawn(function() for _ in child.stdout:lines() do end end)
      local function close()
        pcall(function() -- where the task fails, all this has ended already
          child:kill "SIGKILL"
          drain:await()
          child:wait()
        end)
        child:close()
      end
      return setmetatable({ port = port, close = close }, { __close = close })
    end
    child:close()
    if not said:find "in use" and not said:find "create listening" then
      error("it did not start: " .. said)
    end
  end
  error "no port is free"
end

local NGINX <const> = [[
daemon off;
master_process off;
error_log stderr notice;
pid nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 1m;
  ssl_certificate localhost.pem;
  ssl_certificate_key localhost.key;
  %s
}
]]

--- nginx with the blocks of `text`, in which PORT is its port, OTHER another one,
--- and DIR is `dir`, on the files of `dir`/html; with the certificates of `dir`.
function servers.nginx(dir, text)
  local program, other = servers.find "nginx", nil
  local server = start(function(port)
    other = free_port()
    local names = { PORT = port, OTHER = other, DIR = dir }
    fs.write(dir .. "/nginx.conf", NGINX:format((text:gsub("%u+", names))), { sync = false })
    return { program, "-p", dir, "-c", dir .. "/nginx.conf", "-e", "stderr", stderr = "stdout" }
  end, function(line) return line:find "using the \"" end)
  server.other = other
  return server
end

--- `openssl s_server` with a certificate of `dir`, and more arguments.
function servers.tls(dir, name, ...)
  local more = { ... }
  return start(function(port)
    return {
      "openssl", "s_server", "-accept", "127.0.0.1:" .. port, "-cert", name .. ".pem",
      "-key", name .. ".key", "-CAfile", "authority.pem", "-www",
      cwd = dir, stderr = "stdout", table.unpack(more),
    }
  end, function(line) return line:find "^ACCEPT" end)
end

--- tinyproxy, an HTTP proxy, with more lines for its configuration.
function servers.tinyproxy(dir, text)
  local program = servers.find "tinyproxy"
  return start(function(port)
    fs.write(dir .. "/tinyproxy.conf", ("Port %d\nListen 127.0.0.1\nLogLevel Info\n%s\n")
      :format(port, text or ""), { sync = false })
    return { program, "-d", "-c", dir .. "/tinyproxy.conf", stderr = "stdout" }
  end, function(line) return line:find "Accepting connections" end)
end

--- microsocks, a SOCKS5 proxy, with more arguments.
function servers.socks(...)
  local more = { ... }
  return start(function(port)
    return { "microsocks", "-i", "127.0.0.1", "-p", port, stderr = "stdout", table.unpack(more) }
  end)
end

return servers
