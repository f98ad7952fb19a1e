"""Each measure of one subject, once: figures by name. All are costs, so less is better."""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from random import Random

import httpx

from producer.observability.metrics import PREFIX
from tests.system.stage import FIRST_ROOM
from tools.bench import corpus
from tools.bench.corpus import Frame
from tools.bench.field import PATIENCE_SECONDS, Field, Place, field, frames, frames_each, messages, streamers
from tools.bench.subject import Subject
from tools.bench.yardstick import bucket, percentile

WARM_FRAMES = 20
"""Of each room, before anything is measured."""
SETTLE_SECONDS = 2.0
"""After which what entering left behind is collected."""
LEAST_RATE = 1_000.0
"""Messages a second of the first step towards the highest rate."""
STEP = 1.25
"""Times the rate of the step before."""
CROWD_SECONDS = 10.0
"""How long a crowd is measured at the least; each of its rooms has a frame."""
MOST_FRAMES = 1_000_000
"""Of a room that goes on for as long as it is measured."""


async def saturated(subject: Subject, place: Place, *, rooms: int, count: int, workers: int = 1) -> dict[str, float]:
    """Processor time a message where all frames are there at once: µs, to the record's acknowledgement by Kafka."""
    warm, sent = frames(rooms, WARM_FRAMES, seed=place.seed), frames(rooms, count, seed=place.seed, skip=WARM_FRAMES)
    async with field(subject, place, rooms, workers=workers) as at:
        before = await at.stored()
        await at.rooms.send_all(warm)
        await at.until(before + messages(warm))
        cpu = at.cpu()
        await at.rooms.send_all(sent)
        await at.until(before + messages(warm) + messages(sent))
        taken = at.cpu() - cpu
    said = "saturated" if workers == 1 else f"saturated, {workers} workers"
    return {f"µs of CPU a message, {said}": taken / messages(sent) * 1e6}


async def paced(subject: Subject, place: Place, *, rooms: int, rate: float, seconds: float) -> dict[str, float]:
    """At a rate: from a frame's sending to its acknowledgement, sent once Kafka has its records, in ms; and CPU."""
    count = frames_each(rooms, rate, seconds)
    warm, sent = frames(rooms, 1, seed=place.seed), frames(rooms, count, seed=place.seed, skip=1)
    async with field(subject, place, rooms, tls=True, PRODUCER_ACKNOWLEDGE="delivered") as at:
        before = await at.stored()
        await at.rooms.send_at(rate, warm)
        await at.until(before + messages(warm))
        cpu, began = at.cpu(), time.monotonic()
        at.rooms.seconds.clear()
        await at.rooms.send_at(rate, sent)
        await at.until(before + messages(warm) + messages(sent))
        taken, lasted = at.cpu() - cpu, time.monotonic() - began
        while at.rooms.unacknowledged:
            await asyncio.sleep(0.02)
        latencies = at.rooms.seconds
    said = f"{rooms} TLS rooms, {rate:g} messages/s"
    return {
        f"p50 ms, {said}": percentile(latencies, 0.5) * 1e3,
        f"p95 ms, {said}": percentile(latencies, 0.95) * 1e3,
        f"p99 ms, {said}": percentile(latencies, 0.99) * 1e3,
        f"% of a core, {said}": 100 * taken / lasted,
        f"µs of CPU a message, {said}": taken / messages(sent) * 1e6,
    }


async def held(subject: Subject, place: Place, *, rooms: int, seconds: float) -> dict[str, float]:
    """The highest rate at which nothing queues up, as µs of time a message; each step is a quarter more than the last.

    Held: a second after the last frame was sent Kafka has all of them, and they were sent at that rate. A generator or
    a Kafka that cannot follow is told by no figure: look at what is left of their cores.
    """
    best, rate = 0.0, LEAST_RATE
    streams = {name: corpus.frames(place.seed, FIRST_ROOM + n, MOST_FRAMES) for n, name in enumerate(streamers(rooms))}
    async with field(subject, place, rooms, tls=True) as at:
        await _is_held(at, streams, rate, 1)  # each room's first frame takes longer
        while await _is_held(at, streams, rate, frames_each(rooms, rate, seconds)):
            best, rate = rate, rate * STEP
    return {f"µs a message at the highest rate held, {rooms} TLS rooms": 1e6 / (best or LEAST_RATE / STEP)}


async def _is_held(at: Field, streams: Mapping[str, Iterator[Frame]], rate: float, count: int) -> bool:
    """Send so many more frames to each room."""
    before = await at.stored()
    sent = await asyncio.to_thread(_more, streams, count)  # beside the loop, which has heartbeats to answer
    sent_at = await at.rooms.send_at(rate, sent)
    ended = time.monotonic()
    await at.until(before + messages(sent))
    return sent_at >= 0.97 * rate and time.monotonic() - ended <= 1.0


async def crowd(subject: Subject, place: Place, *, rooms: int, rate: float) -> dict[str, float]:
    """CPU a message of a rate that so many rooms have together, and how late the worker's loop is meanwhile."""
    warm = frames(rooms, 1, seed=place.seed)
    sent = frames(rooms, frames_each(rooms, rate, CROWD_SECONDS), seed=place.seed, skip=1)
    async with field(subject, place, rooms) as at:
        before = await at.stored()
        await at.rooms.send_at(rate, warm)
        await at.until(before + messages(warm))
        cpu, late = at.cpu(), await _loop_lag(at.worker.url)
        await at.rooms.send_at(rate, sent)
        await at.until(before + messages(warm) + messages(sent))
        taken, later = at.cpu() - cpu, await _loop_lag(at.worker.url)
    said = f"{rooms} rooms, {rate:g} messages/s"
    p99 = bucket({bound: count - late[bound] for bound, count in later.items()}, 0.99)
    return {
        f"µs of CPU a message, {said}": taken / messages(sent) * 1e6,
        f"ms the loop is late, p99, {said}": p99 * 1e3,
    }


async def idle(subject: Subject, place: Place, *, rooms: int, seconds: float) -> dict[str, float]:
    """What rooms cost in which nothing happens but heartbeats, each five seconds: µs of CPU a room and second.

    What a worker with one room takes is its own, and no room's.
    """
    taken = []
    for count in (1, rooms):
        async with field(subject, place, count) as at:
            await asyncio.sleep(5.0)  # they have all entered, and Python's collector is set up
            before = at.cpu()
            await asyncio.sleep(seconds)
            taken.append(at.cpu() - before)
    return {f"µs of CPU an idle room and second ({rooms})": (taken[1] - taken[0]) / (rooms - 1) / seconds * 1e6}


async def memory(subject: Subject, place: Place, *, rooms: int) -> dict[str, float]:
    """KiB a room, connected, and after three frames; of a worker with one room alone; and what entering took."""
    async with field(subject, place, 1, tls=True) as at:
        began = at.cpu()
        await asyncio.sleep(SETTLE_SECONDS)
        alone = at.worker.resident()
    async with field(subject, place, rooms, tls=True) as at:
        entered = at.cpu()
        await asyncio.sleep(SETTLE_SECONDS)
        connected = at.worker.resident()
        sent = frames(rooms, 3, seed=place.seed)
        before = await at.stored()
        await at.rooms.send_at(500.0, sent)
        await at.until(before + messages(sent))
        heard = at.worker.resident()
    return {
        f"ms of CPU a TLS room that is entered ({rooms})": (entered - began) / (rooms - 1) * 1e3,
        "MiB of a worker with one room": alone / 1024,
        f"KiB a TLS room, connected ({rooms})": (connected - alone) / (rooms - 1),
        f"KiB a TLS room, after three frames ({rooms})": (heard - alone) / (rooms - 1),
    }


def _more(streams: Mapping[str, Iterator[Frame]], count: int) -> dict[str, list[Frame]]:
    return {name: list(islice(stream, count)) for name, stream in streams.items()}


async def _loop_lag(url: str) -> dict[float, float]:
    """The buckets of the worker's loop lag: how many times it was late by so many seconds at the most."""
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_SECONDS) as client:
        lines = (await client.get(f"{url}/metrics")).text.splitlines()
    named = f'{PREFIX}event_loop_lag_seconds_bucket{{le="'
    found = (line.removeprefix(named).split('"} ') for line in lines if line.startswith(named))
    return {float(bound): float(count) for bound, count in found}


def calibration(core: int) -> float:
    """Seconds of processor time of a loop that is always the same, on the workers' core; the least of some."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return min(_loop() for _ in range(5))
    finally:
        os.sched_setaffinity(0, ours)


def _loop() -> float:
    chance, before = Random(1), time.process_time()
    sum(chance.random() for _ in range(300_000))
    return time.process_time() - before
