"""Workers that join, stop, die and pause, a list that is edited, a broker that restarts, at random: what must hold
once there is quiet.

The short form is part of every run. `make chaos-claims` makes it long, and shows that the judge sees planted bugs.
"""

import asyncio
import json
import os
import signal
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from random import Random

import pytest

from producer.local.kafka import Kafka
from producer.local.processes import LocalFailure
from producer.local.programs import STEP_SECONDS, Worker
from producer.local.registry import Registry
from tests.system.harness import Mark, System, until
from tests.system.test_claims import holdings

SEEDS = int(os.environ.get("CLAIMS_SEEDS", "1"))
SECONDS = float(os.environ.get("CLAIMS_SCHEDULE_SECONDS", "6"))
QUIET_SECONDS = float(os.environ.get("CLAIMS_QUIET_SECONDS", STEP_SECONDS))
"""How long after the last thing done every streamer must be held by one worker; make chaos-claims makes it short."""
BUGS = Path(__file__).parent / "bugs"
ROOMS, MOST_WORKERS = 16, 4
ROUND_POLLS = 65
"""Ten a second: longer than the group's leader takes to look whether the shares are still even."""
PAUSE_SECONDS = (7.0, 9.0)
"""Longer than the group waits for a worker."""
WATCHED_SECONDS = 4.5
"""How long a woken worker is watched."""

Times = Mapping[tuple[bool, str], list[float]]


class Schedule:
    """One seed's fleet, and what was done to it."""

    def __init__(
        self, system: System, seed: int, environ: Mapping[str, str], restart_broker: Callable[[], Awaitable[None]]
    ) -> None:
        self.system = system
        self.chance = Random(seed)
        self.workers: dict[str, Worker] = {}
        self.wanted: set[str] = set()
        self.done: list[str] = []
        self.lost: list[tuple[str, float]] = []
        """Workers that were paused for so long that they lost their claims, and when they woke."""
        self.revived = 0
        """Starts that were refused while the broker was away, and repeated."""
        self.rested_seconds = 0.0
        """How long it took from the last thing done until it had come to rest."""
        self._environ = environ
        self._restart_broker = restart_broker
        self._count = 0
        self._paused: set[str] = set()

    async def join(self) -> None:
        name = f"worker-{self._count}"
        self._count += 1
        self.workers[name] = await self.system.worker(name, environ=self._environ)

    async def revive(self) -> None:
        """Start a worker again whose start was refused while the broker was away, as Kubernetes would."""
        for name, worker in self.workers.items():
            if not worker.ended:
                continue
            last = worker.output().splitlines()[-1:]
            if not last or not last[0].startswith("producer: "):
                worker.check()
            self.workers[name] = await self.system.worker(name, environ=self._environ)
            self.revived += 1

    async def act(self) -> None:
        """Do one thing."""
        await self.revive()
        running = sorted(self.workers.keys() - self._paused)
        choices = ["edit", "broker"]
        if len(self.workers) < MOST_WORKERS:
            choices += ["join"] * 2
        if len(running) > 1:
            choices += ["leave", "kill", "pause"]
        action = self.chance.choice(choices)
        name = self.chance.choice(running)
        self.done.append(action)
        match action:
            case "join":
                await self.join()
            case "leave":
                await self.workers.pop(name).end(signal.SIGTERM)
            case "kill":
                await self.workers.pop(name).end(signal.SIGKILL)
            case "pause":
                await self.pause(name)
            case "edit":
                await self.edit()
            case "broker":
                await self._restart_broker()

    async def edit(self) -> None:
        """Take a streamer off the list, or put one back."""
        off = sorted({f"sim_room_{number:02}" for number in range(1, ROOMS + 1)} - self.wanted)
        if off and self.chance.random() < 0.5:
            name = self.chance.choice(off)
            await self.system.producer("assign", "add", name)
            self.wanted.add(name)
        else:
            await self.remove()

    async def remove(self) -> None:
        """Take a streamer off the list."""
        name = self.chance.choice(sorted(self.wanted))
        await self.system.producer("assign", "remove", name)
        self.wanted.discard(name)

    async def pause(self, name: str = "worker-0") -> None:
        """Stop a worker, and let it go on once others have its streamers."""
        self._paused.add(name)
        worker = self.workers[name]
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(self.chance.uniform(*PAUSE_SECONDS))  # the pause is the fault itself
        self.lost.append((name, time.time()))
        worker.send(signal.SIGCONT)
        await asyncio.sleep(WATCHED_SECONDS)  # what it does then is judged, so nothing else moves its streamers
        self._paused.discard(name)

    async def outnumber(self) -> None:
        """Stop a worker while two others join: what it is given afterwards cannot be all that it had."""
        await asyncio.gather(self.pause(), self.join(), self.join())

    async def rest(self, polls: int = 10) -> dict[str, set[str]]:
        """Wait for quiet: every wanted streamer is held once, nothing else is, each worker has a share, and so it stays
        for so many polls."""
        held: dict[str, set[str]] = {}
        quiet = 0

        async def at_rest() -> bool:
            nonlocal held, quiet
            await self.revive()
            now = await holdings(self.workers.values())
            right = sorted(s for streamers in now.values() for s in streamers) == sorted(self.wanted)
            quiet = quiet + 1 if right and all(now.values()) and now == held else 0
            held = now
            return quiet >= polls

        await until(at_rest)
        return held

    async def judge(self) -> list[str]:
        """Say what is wrong once everything is at rest."""
        quiet = time.monotonic()
        await self.rest()
        self.rested_seconds = time.monotonic() - quiet
        before = await self.rest(ROUND_POLLS)
        await self.join()
        after = await self.rest(ROUND_POLLS)
        moved = sum(1 for name, streamers in before.items() for s in streamers if s not in after[name])
        minimal = len(self.wanted) / len(self.workers)
        problems = [f"{moved} moved for a worker whose share is {minimal:.1f}"] if moved > 1.3 * minimal + 1 else []
        if self.rested_seconds > QUIET_SECONDS:
            problems.append(f"at rest only after {self.rested_seconds:.1f} s of quiet")

        began = time.time()
        await asyncio.sleep(2.0)  # what is watched is a stretch of time
        ended = time.time()
        await asyncio.gather(*(worker.end(signal.SIGTERM) for worker in self.workers.values()))
        by: dict[str, set[str]] = defaultdict(set)
        found = await asyncio.to_thread(self.system.marks)
        for record in found:
            if began < record.received_at.timestamp() < ended and record.message_id:
                by[record.streamer].add(record.worker)
        problems += [f"{name} was delivered by {sorted(workers)}" for name, workers in by.items() if len(workers) > 1]
        heard = [line for line in self.system.truth() if line["sockets"]]
        sent = {line["unique_id"] for line in heard if began + 0.5 < line["at"] < ended - 0.5}
        problems += [f"{name} was delivered by nobody" for name in sent & self.wanted - by.keys()]
        problems += self._stale(found)
        return problems

    def _stale(self, found: Iterable[Mark]) -> list[str]:
        """What paused workers published, after their wake, of streamers that others had before it and went on to have.

        What a woken worker is given again it goes on with, on the connection that it still has.
        """
        problems = []
        for name, woken in self.lost:
            times: dict[tuple[bool, str], list[float]] = defaultdict(list)
            for record in found:
                if record.message_id:
                    times[record.worker == name, record.streamer].append(record.received_at.timestamp() - woken)

            def at(own: bool, streamer: str, since: float, until: float, times: Times = times) -> int:
                return sum(since <= time < until for time in times[own, streamer])

            for streamer in {streamer for _, streamer in times}:
                moved = at(False, streamer, -1.5, 0) and at(False, streamer, 3, WATCHED_SECONDS)
                stale = at(True, streamer, 0, 1.5)
                if moved and stale and not at(True, streamer, 3, WATCHED_SECONDS):
                    problems.append(f"{name} published {stale} of {streamer} after it had lost it")
        return problems


async def run(
    folder: Path, registry: Registry, seed: int, *actions: str, environ: Mapping[str, str] | None = None
) -> list[str]:
    """Run one seed's schedule, or these actions; return what is wrong with what became of it.

    Kafka is the seed's own: with the slots of all seeds before it, each restart would take longer than the last.
    """
    async with (
        Kafka(folder / "kafka") as kafka,
        System(folder, kafka, registry, shared=True, topic_partitions="1", live_poll_seconds="1") as system,
    ):

        async def restart_broker() -> None:
            await kafka.stop(1)
            await kafka.start(1)

        await system.simulator("--rooms", str(ROOMS), "--rate", str(8 * ROOMS), "--seed", str(seed + 1))
        schedule = Schedule(system, seed, environ or {}, restart_broker)
        schedule.wanted = set((await system.producer("assign", "export", "--as", "lines")).split())
        await schedule.join()
        await schedule.join()
        await schedule.rest()
        if actions:
            for action in actions:
                await getattr(schedule, action)()
        else:
            until_then = time.time() + SECONDS
            while time.time() < until_then:
                await schedule.act()
                await asyncio.sleep(schedule.chance.uniform(0.0, 1.0))  # part of the schedule
        problems = await schedule.judge()
        said = {
            "seed": seed,
            "done": schedule.done or actions,
            "revived": schedule.revived,
            "rested": round(schedule.rested_seconds, 1),
        }
        print(json.dumps(said | {"problems": problems}))
        return problems


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_must_hold_holds_after_any_schedule(seed: int, tmp_path: Path, registry: Registry) -> None:
    assert asyncio.run(run(tmp_path, registry, seed)) == []


@pytest.mark.skipif("CLAIMS_BUGS" not in os.environ, reason="part of make chaos-claims")
@pytest.mark.parametrize(
    ("bug", "action"), [("forget_tombstone", "remove"), ("skip_fencing", "outnumber"), ("drop_sticky", "edit")]
)
def test_the_judge_sees_planted_bugs(bug: str, action: str, tmp_path: Path, registry: Registry) -> None:
    planted = {"PYTHONPATH": os.pathsep.join((str(BUGS / bug), os.environ.get("PYTHONPATH", "")))}

    try:
        problems = asyncio.run(run(tmp_path, registry, 0, action, environ=planted))
    except (LocalFailure, TimeoutError) as failure:
        problems = [f"never at rest: {failure!r}"]

    assert problems
