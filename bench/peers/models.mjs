// Prompt, model, parser, with the libraries that people use for it:
//   models.mjs openai pipeline      the openai SDK
//   models.mjs langchain pipeline   LangChain.js
// Settings and result line: bench/README.md.
import process from "node:process";

const N = Number(process.env.BENCH_N ?? 1000);
const CONCURRENCY = Number(process.env.BENCH_CONC ?? 64);
const baseURL = process.env.BENCH_URL.replace(/\/chat\/completions$/, "");
const system = "You are a helpful assistant.";

async function openai() {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ baseURL, apiKey: "test" });
  let next = 0;
  const texts = [];
  const worker = async () => {
    while (next < N) {
      const i = next++;
      const answer = await client.chat.completions.create({
        model: "mock",
        temperature: 0.2,
        messages: [
          { role: "system", content: system },
          { role: "user", content: `Question ${i}: what is the answer?` },
        ],
      });
      texts[i] = answer.choices[0].message.content;
    }
  };
  return async () => {
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    return texts;
  };
}

async function langchain() {
  const { ChatOpenAI } = await import("@langchain/openai");
  const { ChatPromptTemplate } = await import("@langchain/core/prompts");
  const { StringOutputParser } = await import("@langchain/core/output_parsers");
  const chain = ChatPromptTemplate.fromMessages([
    ["system", system],
    ["user", "Question {i}: what is the answer?"],
  ])
    .pipe(new ChatOpenAI({ model: "mock", temperature: 0.2, apiKey: "test", configuration: { baseURL } }))
    .pipe(new StringOutputParser());
  const inputs = Array.from({ length: N }, (_, i) => ({ i }));
  return () => chain.batch(inputs, { maxConcurrency: CONCURRENCY });
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const run = await { openai, langchain }[process.argv[2]]();
const started = performance.now(), cpu = cpuSeconds();
const texts = await run();
if (texts.length !== N || texts.some((text) => text.length !== 300)) throw new Error("bad answer");
console.log(
  JSON.stringify({
    ops: N,
    wall_s: (performance.now() - started) / 1000,
    cpu_s: cpuSeconds() - cpu,
    peak_rss_kb: process.resourceUsage().maxRSS,
  }),
);
process.exit(0);
