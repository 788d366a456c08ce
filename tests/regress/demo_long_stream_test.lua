-- The demo model's server took itself for idle, and closed, while it streamed an
-- answer for longer than a second or two.
local demo = require "luge.internal.llm.demo"
local llm = require "luge.llm"
local test = require "luge.test"

test.it("the demo model is not idle while it streams", function()
  local model = llm.model("demo", { max_tokens = 3, max_retries = 0, extra = { delay = 0.8 } })
  local pieces = 0
  for piece in model:stream "Tell me about tides" do
    pieces = pieces + (piece.content ~= "" and 1 or 0)
  end
  test.equal(pieces, 3)
  demo.close()
end)
