-- The pages of the examples in a real browser: seen, typed into and clicked.
-- LUGE_SCREENSHOTS names a folder for pictures of them.
local browser = dofile "tests/support/browser.lua"
local luge = require "luge"
local process = require "luge.process"
local test = require "luge.test"

local missing = browser.missing()
local options = { timeout = 120, skip = missing }

-- Runs an example with a port, and `fn(url)` while it serves.
local function with_example(path, fn)
  local child <close> = process.spawn {
    os.getenv "LUGE", path, "0", env = { LUGE_MODEL = false }, stderr = "inherit",
  }
  local url
  for line in child.stdout:lines() do
    url = line:match "^Listening on (%S+)$"
    if url then break end
  end
  fn(url)
end

local function keep_picture(page, name)
  local folder = os.getenv "LUGE_SCREENSHOTS"
  if folder then
    local decode = ("base64 -d > %s/%s.png"):format(folder, name)
    process.run { decode, shell = true, input = page:screenshot(), check = true }
  end
end

describe("in the browser", function()
  local page, driver

  before(function()
    if missing then return end
    local ready, over = luge.future(), luge.event()
    local function use(opened)
      ready:resolve(opened)
      over:wait()
    end
    driver = { over = over, task = luge.spawn(function()
      local ok, err = pcall(browser.run, use)
      if not ok and not ready:done() then
        ready:reject(err)
      end
    end) }
    page = ready:await()
  end)

  after(function()
    if driver then
      driver.over:set()
      driver.task:await()
    end
  end)

  it("a person rejects a draft, and approves the next", function()
    with_example("examples/tutorials/pocketflow-async/web_hitl.lua", function(url)
      page:go(url)
      test.equal(page:title(), "Approval")
      test.equal(page:is_shown "#job", false)
      page:type("#text", "<img src=x onerror=document.title='broken'> tides")
      page:click "form button"
      local waits = "document.getElementById('status').textContent === 'waiting for review'"
        .. " && !document.getElementById('review').hidden"
      page:wait(waits)
      keep_picture(page, "approval")
      test.matches(page:text "#draft", "tides")
      test.equal(page:value "document.querySelectorAll('#draft *').length", 0)
      page:click "#reject"
      page:wait(waits)
      page:click "#approve"
      page:wait "document.getElementById('status').textContent === 'published'"
      test.equal(page:is_shown "#review", false)
      test.equal(page:title(), "Approval")
      keep_picture(page, "published")
    end)
  end, options)

  it("a chat streams its answers", function()
    local answered = "!document.getElementById('text').disabled"
    with_example("examples/chat_server.lua", function(url)
      page:go(url)
      page:type("#text", "Hello\u{E007}")
      page:wait(answered)
      page:type("#text", "Tell me about <b>tides</b>\u{E007}")
      page:wait(answered)
      keep_picture(page, "chat")
      test.equal(page:value "document.querySelectorAll('.model').length", 2)
      test.matches(page:text ".model", "demo model")
      test.equal(page:text ".user", "Hello")
      test.equal(page:value "document.querySelectorAll('b').length", 0)
    end)
  end, options)

  it("texts are handed in, and reviewed", function()
    with_example("examples/flow/web_approval.lua", function(url)
      page:go(url)
      page:type("textarea", "The sea is deep & <b>cold</b>. It is wide.")
      page:click "button"
      page:poll "document.querySelector('textarea').value === ''" -- the page came again
      repeat
        page:go(url)
      until page:value "document.querySelectorAll('.text').length === 1"
      keep_picture(page, "review")
      test.matches(page:text ".text", "deep & <b>cold</b>")
      page:click "button[formaction$=approved]"
      page:poll "document.querySelectorAll('.text').length === 0"
    end)
  end, options)
end)
