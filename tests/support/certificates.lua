-- Certificates for tests, made by the openssl command when they are needed: an
-- authority of our own, and what it has signed. Keys are beside them.
local fs = require "luge.fs"
local process = require "luge.process"

local certificates = {}

local function openssl(dir, ...)
  process.run { "openssl", cwd = dir, check = true, timeout = 30, ... }
end

--- Why there can be none, or nil.
function certificates.missing()
  local ok, result = pcall(process.run, { "openssl", "version" })
  return not (ok and result.code == 0) and "there is no openssl command" or nil
end

local curve = { "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes" }

local function request(dir, name, ...)
  local command = table.move(curve, 1, #curve, 1, {})
  for _, argument in ipairs { "-keyout", name .. ".key", "-subj", "/CN=" .. name, ... } do
    command[#command + 1] = argument
  end
  openssl(dir, table.unpack(command))
end

-- For `names` (as in subjectAltName), for so many days from now.
local function sign(dir, name, names, days)
  request(dir, name, "-out", name .. ".csr")
  fs.write(dir .. "/" .. name .. ".ext", "subjectAltName=" .. names .. "\n", { sync = false })
  openssl(dir, "x509", "-req", "-in", name .. ".csr", "-CA", "authority.pem",
    "-CAkey", "authority.key", "-CAcreateserial", "-out", name .. ".pem",
    "-extfile", name .. ".ext", "-days", tostring(days))
end

local HERE <const> = "DNS:localhost,IP:127.0.0.1,IP:::1"

--- Fills a directory: authority, localhost, expired, elsewhere (for another
--- host), alone (signed by itself), client; each NAME.pem and NAME.key.
function certificates.make(dir)
  request(dir, "authority", "-x509", "-out", "authority.pem", "-days", "30")
  sign(dir, "localhost", HERE, 30)
  sign(dir, "expired", HERE, -1)
  sign(dir, "elsewhere", "DNS:elsewhere.example", 30)
  sign(dir, "client", "DNS:client.example", 30)
  request(dir, "alone", "-x509", "-out", "alone.pem", "-days", "30", "-addext",
    "subjectAltName=" .. HERE)
end

return certificates
