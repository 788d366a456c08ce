"""asyncio, and aiohttp where it is installed.

Settings and result line: bench/README.md.
"""

import asyncio
import json
import os
import resource
import sys
import time


def setting(name, default):
    return int(os.environ.get("BENCH_" + name, default))


N = setting("N", 1000)
CONCURRENCY = setting("CONC", 64)
CHUNKS = setting("CHUNKS", 100)
URL = os.environ.get("BENCH_URL")


async def run_tasks(fn):
    batch, total = setting("BATCH", 10000), 0
    for first in range(0, N, batch):
        tasks = [asyncio.create_task(fn(first + i)) for i in range(batch)]
        for task in tasks:
            total += await task
    assert total == N * (N - 1) // 2
    return N


async def tasks():
    async def identity(i):
        return i

    return await run_tasks(identity)


async def tasks_yield():
    async def identity(i):
        await asyncio.sleep(0)
        return i

    return await run_tasks(identity)


async def sleepers():
    seconds = setting("SLEEP_MS", 1000) / 1000
    sleeping = [asyncio.create_task(asyncio.sleep(seconds)) for _ in range(N)]
    for task in sleeping:
        await task
    return N


async def queue():
    items, total = asyncio.Queue(setting("CAP", 100)), 0

    async def put():
        for i in range(N):
            await items.put(i)

    putter = asyncio.create_task(put())
    for _ in range(N):
        total += await items.get()
    await putter
    assert total == N * (N - 1) // 2
    return N


def request(i, stream=False):
    body = {
        "model": "mock",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": f"Question {i}: what is the answer?"},
        ],
        "temperature": 0.2,
    }
    if stream:
        body["stream"] = True
    headers = {
        "authorization": "Bearer test",
        "x-latency-ms": str(setting("LATENCY_MS", 0)),
        "x-tokens": str(CHUNKS),
        "x-token-delay-ms": str(setting("DELAY_MS", 0)),
    }
    return {"json": body, "headers": headers}


def session(limit):
    import aiohttp

    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit))


async def complete():
    numbers = iter(range(N))

    async def worker(client):
        for i in numbers:
            async with client.post(URL, **request(i)) as response:
                answer = await response.json()
            assert len(answer["choices"][0]["message"]["content"]) == 300

    async with session(CONCURRENCY) as client:
        await asyncio.gather(*(worker(client) for _ in range(CONCURRENCY)))
    return N


async def read_streams():
    expected = "".join(
        f"tok{i}" + ("\n" if i % 20 == 19 else " ") for i in range(CHUNKS)
    )

    async def read(client, i):
        pieces = []
        async with client.post(URL, **request(i, stream=True)) as response:
            async for line in response.content:
                if line.startswith(b"data: ") and line != b"data: [DONE]\n":
                    delta = json.loads(line[6:])["choices"][0]["delta"]
                    if delta.get("content"):
                        pieces.append(delta["content"])
        assert len(pieces) == CHUNKS and "".join(pieces) == expected

    async with session(N) as client:
        await asyncio.gather(*(read(client, i) for i in range(N)))
    return N * CHUNKS


WORKLOADS = {
    "tasks": tasks,
    "tasks_yield": tasks_yield,
    "sleepers": sleepers,
    "queue": queue,
    "http_fanout": complete,
    "latency_fanout": complete,
    "stream": read_streams,
    "stream_paced": read_streams,
    "pipeline": complete,
}


async def main():
    started, cpu = time.monotonic(), time.process_time()
    operations = await WORKLOADS[sys.argv[1]]()
    result = {
        "ops": operations,
        "wall_s": time.monotonic() - started,
        "cpu_s": time.process_time() - cpu,
        "peak_rss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    print(json.dumps(result))


asyncio.run(main())
