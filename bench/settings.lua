--- The workloads: what each does, how much of it, and beside whom its figures
--- are put: the C program on the same libcurl and libuv, or bare coroutines.
return {
  {
    name = "http_fanout",
    title = "20,000 chat completions, 64 at once, answered at once, JSON decoded",
    unit = "request",
    baseline = "C",
    env = { N = 20000, CONC = 64 },
  },
  {
    name = "latency_fanout",
    title = "2,000 requests at once, each answered after 200 ms",
    unit = "request",
    baseline = "C",
    env = { N = 2000, CONC = 2000, LATENCY_MS = 200 },
  },
  {
    name = "stream",
    title = "200 streams at once of 500 events, each decoded, the text compared",
    unit = "event",
    baseline = "C",
    env = { N = 200, CHUNKS = 500 },
  },
  {
    name = "stream_paced",
    title = "200 streams at once of 100 events, one every 20 ms",
    unit = "event",
    baseline = "C",
    env = { N = 200, CHUNKS = 100, DELAY_MS = 20 },
  },
  {
    name = "pipeline",
    title = "5,000 inputs through prompt, model and parser, 64 at once",
    unit = "prompt",
    baseline = "C",
    env = { N = 5000, CONC = 64 },
  },
  {
    name = "tasks",
    title = "1,000,000 tasks that return at once, awaited 10,000 at a time",
    unit = "task",
    baseline = "Lua",
    env = { N = 1000000, BATCH = 10000 },
  },
  {
    name = "tasks_yield",
    title = "the same, and each lets the others run once",
    unit = "task",
    baseline = "Lua",
    env = { N = 1000000, BATCH = 10000 },
  },
  {
    name = "queue",
    title = "1,000,000 items from one task to another through a queue of 100",
    unit = "item",
    baseline = "Lua",
    env = { N = 1000000, CAP = 100 },
  },
  {
    name = "sleepers",
    title = "100,000 tasks asleep for a second at the same time",
    unit = "task",
    env = { N = 100000, SLEEP_MS = 1000 },
  },
  {
    name = "startup",
    title = "start, print a line, end",
    unit = "run",
    baseline = "Lua",
    env = { N = 20 },
  },
}
