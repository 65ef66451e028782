"""The peers, each a small program of its own: `python peers.py PEER SERVERS TOPIC EVENTS` prints seconds.

Each counts from the first record that it has to the last, so that joining a group is nobody's disadvantage.
"""

import asyncio
import json
import sys
import time


async def raw(servers: str, topic: str, events: int) -> float:
    """aiokafka's getmany, doing nothing with what it reads."""
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=servers, auto_offset_reset="earliest", max_partition_fetch_bytes=4 << 20
    )
    await consumer.start()
    seen, started = 0, 0.0
    while seen < events:
        fetched = await consumer.getmany(timeout_ms=1000, max_records=10_000)
        started = started or time.perf_counter()
        seen += sum(map(len, fetched.values()))
    taken = time.perf_counter() - started
    await consumer.stop()
    return taken


async def faust(servers: str, topic: str, events: int) -> float:
    """A plain Faust agent that counts people per sector in a table, one event at a time."""
    import faust as library

    app = library.App(f"peer-{time.time_ns()}", broker=f"kafka://{servers}", web_enabled=False)
    counts = app.Table("counts", default=int, partitions=4)
    source = app.topic(topic, value_serializer="json")
    seen, started, done = 0, 0.0, asyncio.Event()

    @app.agent(source)
    async def count(stream):  # type: ignore[no-untyped-def]
        nonlocal seen, started
        async for event in stream:
            started = started or time.perf_counter()
            counts[event["sector"]] += event["count"]
            seen += 1
            if seen == events:
                done.set()

    await app.start()
    await done.wait()
    taken = time.perf_counter() - started
    await app.stop()
    return taken


def quix(servers: str, topic: str, events: int) -> float:
    """Quix Streams counting people per sector in its state."""
    from quixstreams import Application

    app = Application(
        broker_address=servers,
        consumer_group=f"peer-{time.time_ns()}",
        auto_offset_reset="earliest",
        state_dir=f"/tmp/quix-{time.time_ns()}",
        loglevel="ERROR",
    )
    seen, started = 0, 0.0

    def count(event: dict[str, int], state) -> None:  # type: ignore[no-untyped-def]
        nonlocal seen, started
        started = started or time.perf_counter()
        state.set("people", state.get("people", 0) + event["count"])
        seen += 1
        if seen == events:
            print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)
            app.stop()

    frame = app.dataframe(app.topic(topic, value_deserializer="json"))
    frame.update(count, stateful=True)
    app.run()
    return 0.0


if __name__ == "__main__":
    peer, servers, topic, events = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    if peer == "quix":
        quix(servers, topic, events)
    else:
        seconds = asyncio.run({"raw": raw, "faust": faust}[peer](servers, topic, events))
        print(json.dumps({"seconds": seconds}), flush=True)
