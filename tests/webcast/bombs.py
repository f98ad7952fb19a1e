"""Frames that cost far more than their bytes, and a process that takes them: `python -m tests.webcast.bombs FOLDER`.

It takes each file of the folder in a fork of its own, within the address space that the chart gives a worker as memory,
and prints a line of JSON for each.
"""

import asyncio
import gc
import gzip
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.delivery.letter_cap import Cap
from producer.delivery.letterbox import Letterbox
from producer.events.encoding import Record
from producer.events.event import Origin
from producer.events.mapping import METHODS
from producer.events.streaks import Streaks
from producer.gift_lists import GiftLists
from producer.observability.metrics import Metrics
from producer.pipeline import Pipeline, Sink
from producer.simulator.faults import bomb
from producer.turns import Turns
from producer.webcast.protocol import Protocol, RecentIds
from tests.events.decoding import ENCODER
from tests.events.wire_writer import varint

ADDRESS_SPACE = 512 * 1024 * 1024
"""The chart's limit of a worker's memory."""
LARGEST = 512 * 1024 - 100
"""Of a message that is read, but for its outer fields."""
BATCH = 2 * 1024 * 1024 - 40_000
"""Of a batch that is read, but for its noise."""
FRAME = 1024 * 1024
"""Of a frame that comes through the socket."""


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(method: str, payload: bytes, *, number: int = 1) -> bytes:
    envelope = field(1, method.encode()) + field(2, payload) + varint(3 << 3) + varint(10**18 + number)
    return field(1, envelope)


def frame(batch: bytes, *, noise: int = 20_000) -> bytes:
    """A gzipped batch, with bytes in it that cannot be deflated: so it is not refused for how much it inflates."""
    batch += field(99, Random(noise).randbytes(noise))
    return plain(gzip.compress(batch, 6))


def plain(payload: bytes) -> bytes:
    return field(7, b"msg") + field(8, payload)


def several(method: str, payload: bytes, *, times: int = 3) -> bytes:
    return frame(b"".join(message(method, payload, number=number) for number in range(times)))


def gifts(first: int, count: int = 2_000) -> bytes:
    """A frame of gifts, each the first of a streak, from senders with long names."""
    batch = b""
    for number in range(first, first + count):
        sender = field(3, b"n" * 200) + field(38, b"u" * 200) + b"\x08" + varint(number)
        gift = b"\x10\x05\x18\x05\x28\x01" + field(7, sender) + field(15, b"\x58\x01\x60\x05")
        batch += message("WebcastGiftMessage", gift, number=number)
    return frame(batch)


ROSE = "🌹".encode()
LISTS_OF_A_BATTLE = b"".join(varint(number << 3 | 2) + b"\x00" for number in (5, 9, 10, 17, 18))
VOTERS = field(3, b"\x22\x00" * 70)
"""An option of a poll, and voters without anything."""

BOMBS: dict[str, Callable[[], bytes]] = {
    "a list of 15 MB in 96 KB": lambda: frame(
        message("WebcastRankUpdateMessage", b"\x12\x00" * 7_700_000), noise=80_000
    ),
    "a message that is one list": lambda: frame(message("WebcastRankUpdateMessage", b"\x12\x00" * (BATCH // 2))),
    "lists of half a megabyte": lambda: several("WebcastRankUpdateMessage", b"\x12\x00" * (LARGEST // 2)),
    "pieces of a text": lambda: several("WebcastRankTextMessage", field(5, b"\x22\x00" * (LARGEST // 2))),
    "badges of a user": lambda: several("WebcastChatMessage", field(2, b"\x82\x04\x00" * (LARGEST // 3))),
    "lists as long as may be": lambda: several("WebcastRankUpdateMessage", b"\x12\x00" * 5_000, times=20),
    "several lists as long as may be": lambda: several("WebcastLinkMicBattle", LISTS_OF_A_BATTLE * 1_000, times=20),
    "lists in lists": lambda: several("WebcastPollMessage", field(4, VOTERS * 70), times=20),
    "numbers in a row": lambda: several("WebcastImDeleteMessage", field(2, b"\x01" * LARGEST)),
    "numbers one by one": lambda: several("WebcastImDeleteMessage", b"\x10\x01" * (LARGEST // 2)),
    "groups in groups": lambda: several("WebcastChatMessage", (b"\x7b" * 90 + b"\x7c" * 90) * (LARGEST // 180)),
    "a text with four bytes a letter": lambda: several("WebcastChatMessage", field(3, ROSE + b"x" * LARGEST)),
    "gifts from such a name": lambda: several(
        "WebcastGiftMessage", b"\x28\x01" + field(7, field(3, ROSE + b"x" * LARGEST)) + field(15, b"\x58\x01")
    ),
    "a kind that nobody knows": lambda: several("WebcastNobodyKnows", b"\xff" * LARGEST),
    "a method of two megabytes": lambda: frame(message("x" * BATCH, b"")),
    "texts that replace each other": lambda: frame(field(1, b"\x0a\x01x" * (BATCH // 3))),
    "empty messages": lambda: frame(b"\x0a\x00" * (BATCH // 2)),
    "as many empty messages as may be": lambda: plain(b"\x0a\x00" * 2_000),
    "route parameters": lambda: frame(b"".join(field(7, field(1, b"%06d" % n)) for n in range(BATCH // 10))),
    "headers": lambda: b"\x2a\x00" * (FRAME // 2),
    "headers in a short frame": lambda: b"\x2a\x00" * 20_000,
    "broken messages": lambda: several("WebcastChatMessage", b"\x12\x7f" + b"x" * 900, times=2_000),
    "broken envelopes": lambda: frame(field(1, b"\x0a\xff\x7f" + b"x" * 900) * 2_000),
    "zeros, a thousandfold": lambda: plain(bomb(inflated_bytes=1024**3)[: FRAME - 100]),
    "noise": lambda: plain(Random(1).randbytes(FRAME - 100)),
    "gifts": lambda: gifts(1),
}


class Shelf:
    """A publisher's place that sends nothing: records stay in memory."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def publish(self, *records: Record, settled: object = None) -> None:
        self.records += records


class _Timed:
    """Some work, and how long it went on each time until it waited."""

    def __init__(self, work: Coroutine[Any, Any, None], turns: list[float]) -> None:
        self._work = work
        self._turns = turns

    def __await__(self) -> Generator[Any, Any, None]:
        while True:
            began = time.thread_time()
            try:
                waits_for = self._work.send(None)
            except StopIteration:
                return
            finally:
                self._turns.append(time.thread_time() - began)
            yield waits_for


class Taker:
    """One room's connection, as a session has it; it remembers the longest turn that it took of the loop."""

    def __init__(self) -> None:
        metrics, self.ledger, self.shelf = Metrics(topics=(), version="test"), Ledger(), Shelf()
        letterbox = Letterbox(topic="dead", cap=Cap(per_minute=60), ledger=self.ledger, metrics=metrics)
        lists = GiftLists(metrics, refresh_seconds=60.0)
        self.skipped = 0.0

        def clock() -> float:
            return time.monotonic() + self.skipped

        self.ours = Turns(clock)
        sink = Sink(
            ENCODER,
            cast(Gate, self.shelf),
            letterbox,
            self.ledger,
            metrics,
            lists,
            time.time,
            clock,
            self.ours,
        )
        self.protocol = Protocol(7, now=0.0, seen=RecentIds())
        self.pipeline = Pipeline(sink, Origin("someone", 7, "worker-0"), Streaks(), watched_before=False)
        self.turns: list[float] = []

    def take(self, data: bytes) -> None:
        async def exchanged() -> None:
            await self.ours.mine()
            await self.pipeline.deliver(self.protocol.receive(data, 1.0))

        self.do(exchanged())

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Work from one turn to the next; each counts in CPU seconds."""

        async def timed() -> None:
            await _Timed(work, self.turns)

        asyncio.run(timed())

    def longest_turn_ms(self) -> float:
        """Of those since this was asked last."""
        longest, self.turns = max(self.turns), []
        return round(longest * 1000, 1)


def bombed(path: Path) -> dict[str, Any]:
    """What it took to take one frame."""
    taker = Taker()
    data = path.read_bytes()
    with _peak() as growth_kib:
        taker.take(data)
    letters = [dict(record.headers)["producer.reason"].decode() for record in taker.shelf.records if record.headers]
    return {
        "bomb": path.name,
        "growth_kib": growth_kib(),
        "longest_turn_ms": taker.longest_turn_ms(),
        "mapped": taker.ledger.mapped,
        "refused": sorted(set(letters)),
        "balanced": taker.ledger.balances(in_flight=len(taker.shelf.records)),
    }


def with_streaks_open() -> dict[str, Any]:
    """What it takes to take 2,000 gifts while 6,000 streaks are open, to give all out, and to leave as many."""
    taker = Taker()
    frames = [gifts(first) for first in range(1, 14_000, 2_000)]
    for data in frames[:3]:
        taker.take(data)
    turns = {}
    taker.longest_turn_ms()
    taker.take(frames[3])
    turns["gifts"] = taker.longest_turn_ms()
    crowded_out = taker.ledger.own
    taker.skipped += 30
    taker.do(taker.pipeline.tick())
    turns["silent"] = taker.longest_turn_ms()
    silent = taker.ledger.own
    for data in frames[4:]:
        taker.take(data)
    taker.longest_turn_ms()
    taker.do(taker.pipeline.finish())
    turns["left"] = taker.longest_turn_ms()
    return {"turns_ms": turns, "crowded_out": crowded_out, "silent": silent, "left": taker.ledger.own}


@contextmanager
def _peak() -> Iterator[Callable[[], int]]:
    """How many KiB more were resident at the most than at the begin."""
    gc.collect()
    gc.freeze()
    Path("/proc/self/clear_refs").write_text("5")  # from here on the peak is this process's (proc(5))
    before = _resident()
    yield lambda: _resident() - before


def _resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    warm = Taker()
    for number, method in enumerate(METHODS):
        warm.take(plain(message(method, b"", number=number)))
    acts: list[Callable[[], dict[str, Any]]] = [partial(bombed, path) for path in sorted(folder.iterdir())]
    for act in (*acts, with_streaks_open):
        child = os.fork()
        if child == 0:
            sys.stdout.write(json.dumps(act()) + "\n")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
