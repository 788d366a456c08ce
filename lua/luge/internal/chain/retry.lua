-- `:retry`: a Runnable again, as `luge.retry` does it.

local luge = require "luge"
local check = require "luge.internal.chain.check"
local retry = require "luge.internal.retry"
local runnable = require "luge.internal.chain.runnable"

local call, open = runnable.call, runnable.open

local Retry = { _children = runnable.inner_only, _bind = runnable.bind_inner }

function Retry:_invoke(input, run)
  return luge.retry(function() return call(self.inner, input, run) end, self.options)
end

-- What was delivered cannot be taken back: there is no further attempt after
-- the first piece.
local function begin_retried(self, input, run)
  local pull, close, make, first
  luge.retry(function()
    pull, close, make = open(self.inner, input, run)
    local ok, piece = pcall(pull)
    if not ok then
      if close then close() end
      error(piece, 0)
    end
    first = piece
  end, self.options)
  return runnable.after(first, pull), close, make
end

-- If `until_result` judges the output, it needs the whole of it: then nothing
-- is delivered before.
function Retry:_open(input, run)
  if self.options and self.options.until_result then
    return runnable.open_by_invoke(self, input, run)
  end
  return runnable.lazily(function() return begin_retried(self, input, run) end)
end

runnable.class("retry", "chain", Retry)

return function(self, options)
  if options ~= nil then check.argument("retry", options, check.table) end
  retry.check(options)
  return runnable.new(Retry, { inner = self, options = options })
end
