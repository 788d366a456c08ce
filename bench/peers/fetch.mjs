// fetch and promises: Node.js, Bun and Deno.
// Settings and result line: bench/README.md.
import process from "node:process";

const setting = (name, fallback) => Number(process.env["BENCH_" + name] ?? fallback);

const N = setting("N", 1000);
const CONCURRENCY = setting("CONC", 64);
const CHUNKS = setting("CHUNKS", 100);
const URL = process.env.BENCH_URL;

function check(condition, what) {
  if (!condition) throw new Error(what);
}

async function runTasks(fn) {
  const batch = setting("BATCH", 10000);
  let sum = 0;
  for (let first = 0; first < N; first += batch) {
    const tasks = [];
    for (let i = 0; i < batch; i++) tasks.push(fn(first + i));
    for (const task of tasks) sum += await task;
  }
  check(sum === (N * (N - 1)) / 2, "bad sum");
  return N;
}

async function sleepers() {
  const ms = setting("SLEEP_MS", 1000);
  const sleep = () => new Promise((resolve) => setTimeout(resolve, ms));
  await Promise.all(Array.from({ length: N }, sleep));
  return N;
}

// Neither has a queue of its own: this is one of promises.
function makeQueue(capacity) {
  const items = [], getters = [], putters = [];
  return {
    async put(item) {
      while (items.length === capacity) await new Promise((resolve) => putters.push(resolve));
      items.push(item);
      getters.shift()?.();
    },
    async get() {
      while (items.length === 0) await new Promise((resolve) => getters.push(resolve));
      putters.shift()?.();
      return items.shift();
    },
  };
}

async function queue() {
  const items = makeQueue(setting("CAP", 100));
  let sum = 0;
  const put = async () => {
    for (let i = 0; i < N; i++) await items.put(i);
  };
  const get = async () => {
    for (let i = 0; i < N; i++) sum += await items.get();
  };
  await Promise.all([put(), get()]);
  check(sum === (N * (N - 1)) / 2, "bad sum");
  return N;
}

function post(i, stream) {
  const messages = [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: `Question ${i}: what is the answer?` },
  ];
  return fetch(URL, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: "Bearer test",
      "x-latency-ms": String(setting("LATENCY_MS", 0)),
      "x-tokens": String(CHUNKS),
      "x-token-delay-ms": String(setting("DELAY_MS", 0)),
    },
    body: JSON.stringify({ model: "mock", messages, temperature: 0.2, stream }),
  });
}

async function complete() {
  let next = 0;
  const worker = async () => {
    while (next < N) {
      const answer = await (await post(next++)).json();
      check(answer.choices[0].message.content.length === 300, "bad answer");
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return N;
}

async function* lines(body) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = parts.pop();
    yield* parts;
  }
}

async function readStream(i, expected) {
  let text = "";
  for await (const line of lines((await post(i, true)).body)) {
    if (line.startsWith("data: ") && line !== "data: [DONE]") {
      text += JSON.parse(line.slice(6)).choices[0].delta.content ?? "";
    }
  }
  check(text === expected, "text differs");
}

async function readStreams() {
  let expected = "";
  for (let i = 0; i < CHUNKS; i++) expected += `tok${i}` + (i % 20 === 19 ? "\n" : " ");
  await Promise.all(Array.from({ length: N }, (_, i) => readStream(i, expected)));
  return N * CHUNKS;
}

const workloads = {
  tasks: () => runTasks(async (i) => i),
  tasks_yield: () =>
    runTasks(async (i) => {
      await null;
      return i;
    }),
  sleepers,
  queue,
  http_fanout: complete,
  latency_fanout: complete,
  stream: readStreams,
  stream_paced: readStreams,
  pipeline: complete,
};

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const started = performance.now(), cpu = cpuSeconds();
const ops = await workloads[process.argv[2]]();
console.log(
  JSON.stringify({
    ops,
    wall_s: (performance.now() - started) / 1000,
    cpu_s: cpuSeconds() - cpu,
    peak_rss_kb: process.resourceUsage().maxRSS,
  }),
);
process.exit(0);
