-- A headless Chromium, driven through ChromeDriver as the WebDriver
-- specification says (https://www.w3.org/TR/webdriver2/): real pages, real
-- clicks.
--
--   local browser = dofile "tests/support/browser.lua"
--   browser.run(function(page) page:go(url) page:click "#approve" end)
local http = require "luge.http"
local luge = require "luge"
local process = require "luge.process"

local browser = {}

local ELEMENT <const> = "element-6066-11e4-a52e-4f735466cecf" -- of the specification
local TIMEOUT <const> = 30                                    -- seconds, of a wait in a page

local function is_there(...)
  for _, program in ipairs { ... } do
    if process.run({ "sh", "-c", "command -v " .. program }).code == 0 then
      return true
    end
  end
  return false
end

--- Why there is no browser, or nil.
function browser.missing()
  if is_there "chromedriver" and is_there("chromium", "chromium-browser", "google-chrome") then
    return nil
  end
  return "chromedriver or chromium is not installed (scripts/setup --check-tools)"
end

local Page = {}
Page.__index = Page

function Page:call(method, path, body)
  local response = http.request {
    method = method, url = self.session .. path, json = method == "POST" and (body or {}) or nil,
    timeout = 60,
  }
  local value = response:json().value
  if not response:ok() then
    error(("%s %s: %s"):format(method, path, value.message), 0)
  end
  return value
end

--- Opens a page, and waits until it is loaded.
function Page:go(url)
  self:call("POST", "/url", { url = url })
end

function Page:title()
  return self:call("GET", "/title")
end

local function element(self, selector)
  local found = self:call("POST", "/element", { using = "css selector", value = selector })
  return "/element/" .. found[ELEMENT]
end

--- Clicks as a person would: what is hidden or covered cannot be clicked.
function Page:click(selector)
  self:call("POST", element(self, selector) .. "/click")
end

--- Types a text; "\u{E007}" is the Enter key.
function Page:type(selector, text)
  self:call("POST", element(self, selector) .. "/value", { text = text })
end

--- The text that is seen.
function Page:text(selector)
  return self:call("GET", element(self, selector) .. "/text")
end

function Page:is_shown(selector)
  return self:call("GET", element(self, selector) .. "/displayed")
end

--- The value of a JavaScript expression.
function Page:value(expression)
  return self:call("POST", "/execute/sync", {
    script = "return " .. expression, args = require("luge.json").array(),
  })
end

-- Asks again whenever the page changes.
local wait_script = [[
  const done = arguments[0], holds = () => %s
  if (holds()) return done(true)
  const observer = new MutationObserver(() => {
    if (holds()) { observer.disconnect(); done(true) }
  })
  observer.observe(document, { subtree: true, childList: true, attributes: true,
    characterData: true })
]]

--- Waits until a JavaScript expression holds.
function Page:wait(expression)
  self:call("POST", "/execute/async", {
    script = wait_script:format(expression), args = require("luge.json").array(),
  })
end

--- The same across loads of the page, by asking again and again.
function Page:poll(expression)
  luge.timeout(TIMEOUT, function()
    while not self:value(expression) do
      luge.sleep(0.02)
    end
  end)
end

--- A picture of the page, as PNG in base64.
function Page:screenshot()
  return self:call("GET", "/screenshot")
end

-- The port that ChromeDriver says it listens on; nil if it ends before.
local function port_of(driver)
  for line in driver.stdout:lines() do
    local port = line:match "on port (%d+)%.?$"
    if port and port ~= "0" then
      return port
    end
  end
end

-- ChromeDriver wants the port that the system gives it for IPv4 for IPv6 too,
-- and ends where somebody has that.
local function start()
  for _ = 1, 10 do
    local driver = process.spawn { "chromedriver", "--port=0", stderr = "stdout" }
    local port = port_of(driver)
    if port then
      return driver, port
    end
    driver:wait()
  end
  error("chromedriver does not start", 0)
end

local function drain(stream)
  for _ in stream do end -- a full pipe would hold it up
end

local capabilities = { alwaysMatch = {
  timeouts = { script = TIMEOUT * 1000 },
  ["goog:chromeOptions"] = { args = {
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-extensions", "--window-size=900,700",
  } },
} }

-- Chromium does not always come up where a machine is busy.
local function create_session(url)
  return luge.retry(function()
    local options = { json = { capabilities = capabilities }, timeout = TIMEOUT }
    return http.post(url .. "/session", options):raise_for_status():json().value
  end, { on = { "timeout", "http" }, wait = 0 })
end

local function with_session(url, fn)
  local created = create_session(url)
  local page = setmetatable({ session = url .. "/session/" .. created.sessionId }, Page)
  local _ <close> = setmetatable({}, { __close = function()
    luge.shield(page.call, page, "DELETE", "")
  end })
  fn(page)
end

--- Runs `fn(page)` with a page of a browser of its own.
function browser.run(fn)
  local driver <close>, port = start()
  local url = "http://127.0.0.1:" .. port
  luge.scope(function(scope)
    scope:spawn(drain, driver.stdout)
    with_session(url, fn)
    scope:cancel "the browser is closed"
  end)
end

return browser
