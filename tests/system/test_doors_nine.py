"""Two whole workers, all rooms inside by one door, and it shuts in each of nine ways: rooms go by another, and back.

DOORS_ROOMS=200 is the long form: every way, with the bounds that are promised, measured by the simulator's own account
and the records in Kafka. DOORS_WAYS names some of them, separated by commas; PROMTOOL lets the alert be judged.
"""

import asyncio
import json
import os
import re
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
import yaml

from producer.local.kafka import Kafka
from producer.local.programs import STEP_SECONDS, Worker
from producer.local.registry import Registry
from producer.webcast.opening import AT_ONCE
from tests.observability.tools import RULES, run
from tests.system.harness import Mark, System, metric, stop, web

LONG = "DOORS_ROOMS" in os.environ
ROOMS = int(os.environ.get("DOORS_ROOMS", "40"))
RATE = 1.0 if LONG else 4.0
"""Messages per second of one room, in the middle."""
WAYS = os.environ.get("DOORS_WAYS", "")
SHUT_SECONDS = 130.0 if LONG else 0.0
"""How long a door stays shut: two tries of it."""
BURST_SECONDS = 10.0
"""In which every worker learns that it is shut."""
MOST_AT_ONCE = 2 * AT_ONCE
"""Tries that two workers have under way when they learn it, at the most."""
QUIET_BATCHES = 6
"""Before them the simulator ends no socket."""
TRIES = re.compile(r"handshake_|sign_")


@dataclass(frozen=True, slots=True)
class Way:
    """How a door begins to refuse: what each try of it is answered, and by which reason that is known."""

    name: str
    doors: str
    refusal: str
    reason: str
    ending: str = "drop"
    """What befalls the sockets that are open."""
    hold_seconds: float = 0.0
    """For which nobody tries it, since the answer asks for that."""

    @property
    def before(self) -> str:
        return self.doors.split(",")[0]

    @property
    def after(self) -> str:
        return self.doors.split(",")[1]


NINE = (
    Way("417 secret key", "direct,sign", "handshake_rejected", "unsigned"),
    Way("417 app id", "sign,direct", "handshake_illegal_app", "app_id"),
    Way("DEVICE_BLOCKED", "direct,sign", "handshake_device_blocked", "device_blocked"),
    Way("flap", "direct,sign", "handshake_flap", "handshake"),
    Way("empty 200", "sign,direct", "sign_empty", "incomplete"),
    Way("403", "direct,sign", "handshake_forbidden", "blocked", hold_seconds=300.0),
    Way("stub", "sign,direct", "sign_stub", "host_refused"),
    Way("429", "direct,sign", "handshake_rate_limited", "rate_limited"),
    Way("disable_web_direct", "direct,sign", "enter_no_direct", "switched_off", ending="close_frame_no_direct"),
)
CHOSEN = [way for way in NINE if way.name in WAYS.split(",")] if WAYS else NINE if LONG else [NINE[7]]


@dataclass(slots=True)
class Account:
    """What came of it; times in seconds."""

    way: str
    by_b: Sequence[float]
    """From the refusal to the first event that came by the other door, for each room, sorted."""
    burst: int
    """Tries of the door that refuses, until every worker knows."""
    tries_a_minute: int
    """The most of them later."""
    back: float
    """From its recovery, or the end of the hold, until the last room was let in again."""
    back_overlapped: bool
    """Whether each room that went back still had its other socket."""
    heard_again: int
    """Rooms whose last record was sent after that."""
    lost: int
    """Of what the rooms said while they went back."""
    lost_at_refusal: int
    reason: str

    @property
    def p50(self) -> float:
        return self.by_b[len(self.by_b) // 2]

    @property
    def p99(self) -> float:
        return quantiles(self.by_b, n=100)[98]


@pytest.mark.parametrize("way", CHOSEN, ids=lambda way: way.name)
def test_rooms_go_on_by_the_next_door_and_back_without_a_loss(
    tmp_path: Path, kafka: Kafka, registry: Registry, way: Way
) -> None:
    account = asyncio.run(shut_and_opened(tmp_path, kafka, registry, way))

    print(
        f"\n{way.name}: by {way.after} after p50 {account.p50:.1f} s, p99 {account.p99:.1f} s; "
        f"{account.burst} tries of {way.before} in the first {BURST_SECONDS:g} s, then at most "
        f"{account.tries_a_minute} a minute; all back after {account.back:.0f} s; lost {account.lost} on the way back, "
        f"{account.lost_at_refusal} when it refused; {account.reason}",
        flush=True,
    )
    assert len(account.by_b) == ROOMS
    assert account.heard_again == ROOMS
    assert account.lost == 0
    assert account.back_overlapped
    if LONG:
        assert account.p99 <= 30.0
        assert account.burst <= MOST_AT_ONCE
        assert account.tries_a_minute <= 1
        assert account.back <= 120.0


async def shut_and_opened(folder: Path, kafka: Kafka, registry: Registry, way: Way) -> Account:
    """Shut a door while all rooms are heard by it, and open it again once all are heard by the other."""
    async with System(folder, kafka, registry, shared=True) as system:
        await system.simulator("--rooms", str(ROOMS), "--rate", str(RATE * ROOMS), "--steady")
        workers = [await started(system, name, way) for name in ("one", "two")]
        await heard(workers, way.before)
        await settled(system)

        await plan(system, f"{way.ending}/{way.before}:1000000", f"{way.refusal}{at(way)}:1000000")
        await heard(workers, way.after)
        gauges = await gauged(workers, way, seconds=SHUT_SECONDS)
        rings(folder, way, gauges)
        reason = await named(system, workers, way)
        await plan(system)
        await heard(workers, way.before, within=way.hold_seconds + 400.0)
        await settled(system)
        for worker in workers:
            await stop(worker)
        return judged(way, system.truth, system.marks(), reason=reason)


async def started(system: System, name: str, way: Way) -> Worker:
    """A worker that holds half of the rooms."""
    return await system.worker(
        name, doors=way.doors, sign_url=system.upstream, sign_calls_per_minute="600", max_streams=str(ROOMS // 2)
    )


def at(way: Way) -> str:
    """A sign server's faults are at no door."""
    return "" if way.refusal.startswith("sign_") else f"/{way.before}"


async def plan(system: System, *faults: str) -> None:
    async with web() as client:
        (await client.post(f"{system.upstream}/simulator/faults", content="\n".join(faults))).raise_for_status()


async def heard(workers: Sequence[Worker], door: str, *, within: float = 180.0) -> None:
    """Wait until all rooms are heard by a door, and by no other."""
    async with asyncio.timeout(within):
        while True:
            found = [await rooms_by_door(worker) for worker in workers]
            if sum(each.get(door, 0) for each in found) == sum(sum(each.values()) for each in found) == ROOMS:
                return
            await asyncio.sleep(1.0)


async def rooms_by_door(worker: Worker) -> dict[str, int]:
    worker.check()
    status = await worker.status()
    return {each["door"]: each["rooms"] for each in status["doors"]} if status else {}


async def settled(system: System) -> None:
    """Wait until every room has sent enough, since somebody entered it last, that his socket may be ended."""
    async with asyncio.timeout(STEP_SECONDS):
        while True:
            entered = {line["unique_id"]: line["at"] for line in system.truth("entered")}
            batches = {(line["unique_id"], line["at"]) for line in system.truth() if line["sockets"]}
            counted = Counter(room for room, when in batches if when > entered.get(room, when))
            if len(counted) == ROOMS and min(counted.values()) > QUIET_BATCHES:
                return
            await asyncio.sleep(2.0)


async def gauged(workers: Sequence[Worker], way: Way, *, seconds: float) -> list[dict[str, set[float]]]:
    """What each worker's gauge of each door is, in so long."""
    series = 'tiktok_live_door_open{{door="{}",egress="default"}}'
    deadline = time.monotonic() + seconds
    found: list[dict[str, set[float]]] = [defaultdict(set) for _ in workers]
    while True:
        for worker, seen in zip(workers, found, strict=True):
            for door in (way.before, way.after):
                seen[door].add(await metric(worker, series.format(door)))
        if time.monotonic() > deadline:
            return found
        await asyncio.sleep(10.0)


def rings(folder: Path, way: Way, gauges: Sequence[Mapping[str, set[float]]]) -> None:
    """Whether what the workers show, if it lasts, rings for the door that is shut, and for no worker without one."""
    assert [each[way.before] for each in gauges] == [{0.0}, {0.0}]
    assert [each[way.after] for each in gauges] == [{1.0}, {1.0}]
    if "PROMTOOL" not in os.environ:
        return
    series = [
        {
            "series": "tiktok_live_door_open"
            f'{{job="tiktok-live-producer",namespace="ns",instance="{instance}",door="{door}",egress="default"}}',
            "values": f"{value:g}x10",
        }
        for instance, gauge in enumerate(gauges)
        for door, [value] in gauge.items()
    ]
    firing = 'ALERTS{{alertname="{}",alertstate="firing"{}}}'
    labels = f',severity="warning",job="tiktok-live-producer",namespace="ns",door="{way.before}",egress="default"'
    expected = [
        ("TikTokLiveDoorClosed", [{"labels": firing.format("TikTokLiveDoorClosed", labels), "value": 1}]),
        ("TikTokLiveNoDoorOpen", []),
    ]
    test = {
        "rule_files": [str(file) for file in RULES],
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [
                    {"expr": firing.format(name, ""), "eval_time": "6m", "exp_samples": samples}
                    for name, samples in expected
                ],
            }
        ],
    }
    (folder / "rings.yaml").write_text(yaml.safe_dump(test))
    run(os.environ["PROMTOOL"], "test", "rules", str(folder / "rings.yaml"))


async def named(system: System, workers: Sequence[Worker], way: Way) -> str:
    """What is said of the door that is shut, by the workers and to whoever asks for the fleet's status."""
    for worker in workers:
        [door] = [each for each in ((await worker.status()) or {})["doors"] if each["door"] == way.before]
        assert (door["reason"], door["rooms"]) == (way.reason, 0)
        assert door["state"] in ("shut", "probing")
    said, shown = await asyncio.gather(system.producer("status", "--json"), system.producer("status"))
    [door] = [each for each in json.loads(said)["doors"] if each["door"] == way.before]
    assert door["reason"] == way.reason
    [line] = [line for line in shown.splitlines() if line.split()[:1] == [way.before]]
    assert door["detail"][:20] in line
    return " ".join(line.split())


def judged(way: Way, truth: Any, marks: Sequence[Mark], *, reason: str) -> Account:
    """Take the account out of what the simulator did, and what is in Kafka."""
    refused, recovered = (line["at"] for line in truth("planned"))
    entered: dict[str, dict[str, list[float]]] = {way.before: defaultdict(list), way.after: defaultdict(list)}
    for line in truth("entered"):
        entered[line["door"]][line["unique_id"]].append(line["at"])
    left: dict[str, list[float]] = defaultdict(list)
    for line in truth("disconnected"):
        if line["door"] == way.after:
            left[line["unique_id"]].append(line["at"])

    by_b = {room: later(times, refused) for room, times in entered[way.after].items()}
    back = {room: later(times, recovered) for room, times in entered[way.before].items()}

    sent: dict[tuple[str, str], float] = {}
    names: dict[str, str] = {}
    for line in truth():
        if not line["history"]:
            sent[line["room_id"], line["message_id"]] = line["at"]
            names[line["room_id"]] = line["unique_id"]
    first: dict[str, float] = {}
    last: dict[str, int] = {}
    for mark in marks:
        if mark.message_id is not None:
            last[mark.room_id] = max(int(mark.message_id), last.get(mark.room_id, 0))
            if sent[mark.room_id, mark.message_id] >= by_b[mark.streamer]:
                received = mark.received_at.timestamp()
                first[mark.streamer] = min(received, first.get(mark.streamer, received))
    found = {mark.event_id for mark in marks}
    lost = [
        when
        for (room_id, message_id), when in sent.items()
        if when >= refused and int(message_id) < last[room_id] and f"{room_id}:{message_id}" not in found
    ]

    tries = tried(way, truth, refused, recovered)
    slow = [each for each in tries if each > refused + BURST_SECONDS]
    return Account(
        way=way.name,
        by_b=sorted(each - refused for each in first.values()),
        burst=len(tries) - len(slow),
        tries_a_minute=max((bisect_left(slow, each + 60.0) - place for place, each in enumerate(slow)), default=0),
        back=max(back.values()) - max(recovered, refused + way.hold_seconds),
        back_overlapped=all(later(left[room], recovered) > when for room, when in back.items()),
        heard_again=sum(sent[room_id, str(each)] >= back[names[room_id]] for room_id, each in last.items()),
        lost=sum(each > recovered for each in lost),
        lost_at_refusal=sum(each <= recovered for each in lost),
        reason=reason,
    )


def later(times: Sequence[float], moment: float) -> float:
    """The first of them that is not before a moment."""
    return min(each for each in times if each >= moment)


def tried(way: Way, truth: Any, refused: float, recovered: float) -> list[float]:
    """When somebody tried the door, in order."""
    asked = [line for line in truth("fault") if TRIES.match(line["name"]) and line.get("door") in (None, way.before)]
    let_in = [line for line in truth("connected") if line["door"] == way.before]
    return sorted(line["at"] for line in [*asked, *let_in] if refused < line["at"] < recovered)
