-- A person in the loop, on a web page: a model drafts a text, a person approves
-- or rejects it, and a rejected one is drafted again. The flow waits for the
-- person as it waits for anything else; many may be under way at once.
--
--   luge examples/tutorials/pocketflow-async/web_hitl.lua 8080    serves a page
--   luge examples/tutorials/pocketflow-async/web_hitl.lua         plays the person, and ends

local luge = require "luge"
local flow = require "luge.flow"
local fs = require "luge.fs"
local http = require "luge.http"
local json = require "luge.json"
local llm = require "luge.llm"

local port = tonumber((...))
local draft = llm.prompt "Write one sentence about {text}. Attempt {attempt}."
  | llm.model() | llm.text()

-- The flow. What nodes share is a job: `state` is what the page is shown,
-- `changed` tells those who watch, `decision` is the person's.

local function update(job, state)
  job.state = state
  job.changed:notify_all()
end

local write = flow.node {
  prep = function(_, job)
    job.attempt = job.attempt + 1
    update(job, { status = "writing" })
    return { text = job.text, attempt = job.attempt }
  end,
  exec = function(_, input) return draft:invoke(input) end,
  post = function(_, job, _, text) job.draft = text end,
}

local review = flow.node {
  prep = function(_, job)
    job.decision = luge.future()
    update(job, { status = "waiting for review", draft = job.draft })
    return job.decision
  end,
  exec = function(_, decision) return decision:await() end, -- minutes, or days
  post = function(_, _, _, approved) return approved and "approved" or "rejected" end,
}

local publish = flow.node {
  post = function(_, job)
    update(job, { status = "published", draft = job.draft, finished = true })
  end,
}

write:next(review)
review:on("rejected", write)
review:on("approved", publish)

local approval = flow.new { start = write }

-- The server.

local jobs = {}
local page = fs.read((arg[0]:gsub("%.lua$", ".html")))
local server = http.server { port = port or 0 }

local function job_of(req)
  return jobs[tonumber(req.params.id)]
end

server:route("GET", "/", function()
  return { headers = { ["Content-Type"] = "text/html; charset=utf-8" }, body = page }
end)

server:route("POST", "/jobs", function(req)
  local job = { text = req:json().text, attempt = 0, changed = luge.condition() }
  jobs[#jobs + 1] = job
  luge.detach(approval.run, approval, job) -- goes on after this request
  return { status = 201, json = { id = #jobs } }
end)

server:route("GET", "/jobs/:id/events", function(req)
  local job = job_of(req)
  if not job then
    return { status = 404, body = "no such job" }
  end
  return { events = function(emit)
    local shown
    repeat
      while job.state == shown do job.changed:wait() end
      shown = job.state
      emit { data = shown }
    until shown.finished
  end }
end)

server:route("POST", "/jobs/:id/decision", function(req)
  local job = job_of(req)
  if not job or not job.decision or job.decision:done() then
    return { status = 409, json = { error = "nothing to decide" } }
  end
  job.decision:resolve(req:json().approved == true)
  return { json = { ok = true } }
end)

-- What a person would do: reject the first draft, and approve the second.
local function play_the_person()
  local id = http.post(server.url .. "/jobs", { json = { text = "tides" } }):json().id
  local job_url = ("%s/jobs/%d"):format(server.url, id)
  local drafts = 0
  local events <close> = http.get(job_url .. "/events", { stream = true })
  for event in events:events() do
    local state = json.decode(event.data)
    print(state.status)
    if state.status == "waiting for review" then
      drafts = drafts + 1
      print(drafts == 1 and "  > reject" or "  > approve")
      http.post(job_url .. "/decision", { json = { approved = drafts > 1 } })
    end
  end
end

if port then
  print("Listening on " .. server.url) -- and until the server is closed, luge runs
else
  play_the_person()
  server:close()
end

-- Prints:
--   writing
--   waiting for review
--     > reject
--   writing
--   waiting for review
--     > approve
--   published
