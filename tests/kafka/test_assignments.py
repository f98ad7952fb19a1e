"""producer.assignments.kafka against a real Kafka: several workers in this process, and processes where it matters."""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka.admin import AdminClient

from producer.assignments import clients
from producer.assignments.claims import Streamer
from producer.assignments.interface import Said
from producer.assignments.kafka import KafkaAssignments
from producer.assignments.membership import Timing
from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.errors import StartRefused
from producer.events.encoding import Record
from producer.local.kafka import Kafka
from producer.observability.metrics import Metrics
from tests.assignments.fleet import SLOTS, STEP_SECONDS, Fleet, KafkaBackend, Worker, eventually, play

TWENTY = tuple(f"s{number:02}" for number in range(20))


def source(worker: Worker) -> KafkaAssignments:
    assert isinstance(worker.assignments, KafkaAssignments)
    return worker.assignments


def all_once(*workers: Worker, of: int) -> bool:
    """Whether every streamer is held, and by one worker only."""
    return Counter(Counter(s for worker in workers for s in worker.held).values()) == {1: of}


async def settled(fleet: Fleet, *workers: Worker, of: int = 20) -> None:
    """Wait until the workers share the streamers, each with a part."""
    least = 0.8 * of / len(workers)
    await fleet.until(lambda: all_once(*workers, of=of) and all(len(worker.held) >= least for worker in workers))


def test_a_streamer_is_held_by_its_old_owner_until_the_new_one_is_connected(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.names(*TWENTY)
            old = await fleet.worker("old")
            await fleet.until(lambda: len(old.held) == 20)
            new = await fleet.worker("new", state="connecting")
            await fleet.until(lambda: len(new.held) >= 8)
            assert len(old.held) == 20
            async with asyncio.timeout(STEP_SECONDS):
                while source(old).handing_over != len(new.held):
                    await asyncio.sleep(0.05)  # its own assignment comes when it comes, and nothing announces it
            new.connect()
            await fleet.until(lambda: all_once(old, new, of=20))
            assert source(old).handing_over == 0
            # Nothing that stayed was begun anew.
            assert Counter(old.started) == dict.fromkeys(TWENTY, 1)
            said = await backend.said(lambda said: len(said) == 20)
            assert {name: status["worker"] for name, status in said.items()} == {
                name: "new" if name in new.held else "old" for name in TWENTY
            }
            assert {status["generation"] for name, status in said.items() if name in new.held} == {
                source(new).generation
            }

    play(main)


def test_a_streamer_that_nobody_connects_is_let_go_after_the_bound(kafka: Kafka) -> None:
    async def main() -> None:
        async with Fleet(KafkaBackend(kafka, timing=Timing(balance=60.0, handover=1.0))) as fleet:
            await fleet.names(*TWENTY)
            old = await fleet.worker("old")
            await fleet.until(lambda: len(old.held) == 20)
            new = await fleet.worker("new", state="backing_off")
            await fleet.until(lambda: len(new.held) >= 8 and len(old.held) == 20)
            await fleet.until(lambda: all_once(old, new, of=20))

    play(main)


def test_a_drain_hands_everything_over_before_the_worker_leaves(kafka: Kafka) -> None:
    async def main() -> None:
        async with Fleet(KafkaBackend(kafka)) as fleet:
            await fleet.names(*TWENTY)
            one, two = await fleet.worker("one"), await fleet.worker("two")
            await settled(fleet, one, two)
            two.state = "connecting"
            draining = asyncio.create_task(one.assignments.drain(30.0))
            await fleet.until(lambda: len(two.held) == 20)
            assert one.held
            assert not draining.done()
            two.connect()
            await draining
            assert one.held == frozenset()
            rebalances = source(two).rebalances
            await fleet.stop("one")
            await eventually(lambda: source(two).rebalances > rebalances)
            assert Counter(two.started) == dict.fromkeys(TWENTY, 1)

    play(main)


def test_a_drain_ends_after_its_bound_whatever_others_do(kafka: Kafka) -> None:
    async def main() -> None:
        async with Fleet(KafkaBackend(kafka)) as fleet:
            await fleet.names(*TWENTY)
            one = await fleet.worker("one")
            await fleet.until(lambda: len(one.held) == 20)
            await fleet.worker("two", state="connecting")
            await one.assignments.drain(1.0)
            assert one.held

    play(main)


def test_a_list_edit_reaches_its_owner_without_a_rebalance(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka, timing=Timing(balance=60.0))
        async with Fleet(backend) as fleet:
            await fleet.names(*TWENTY)
            one, two = await fleet.worker("one"), await fleet.worker("two")
            await settled(fleet, one, two)
            rebalances = source(one).rebalances, source(two).rebalances
            await fleet.names(*TWENTY[1:], "newcomer")
            await fleet.until(lambda: "newcomer" in one.held | two.held and TWENTY[0] not in one.held | two.held)
            assert all_once(one, two, of=20)
            assert (source(one).rebalances, source(two).rebalances) == rebalances
            # Who was removed has no status any more.
            await backend.said(lambda said: said[TWENTY[0]] is None and said.get("newcomer") is not None)

    play(main)


def test_records_that_cannot_be_used_are_counted_and_passed_over(kafka: Kafka) -> None:
    reads: list[int | None] = []

    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.names("aa", "bb")
            one = await fleet.worker("one", assignments=backend.open("one", list_read=reads.append))
            await fleet.until(lambda: one.held == {"aa", "bb"})
            await backend.put({"aa": b"not json", "BB": b"{}", "cc": b'{"priority": []}', "dd": b"x" * 900_000})
            await backend.put({"aa": b"{}"}, partition=(KAFKAS_SLOT_OF_AA + 1) % SLOTS)
            await fleet.names("aa", "bb", "ee")
            await fleet.until(lambda: one.held == {"aa", "bb", "ee"})
            assert source(one).refused_records == 5
            assert reads.count(None) == 5
            assert reads[-1] == 3

    play(main)


KAFKAS_SLOT_OF_AA = 10
"""By librdkafka: where it puts the key "aa" among 16 partitions."""


def test_more_than_the_fleet_may_hold_is_told_and_not_passed_around(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.names(*TWENTY)
            one, two = await fleet.worker("one", max_streams=5), await fleet.worker("two", max_streams=5)
            await fleet.until(lambda: len(one.held) == len(two.held) == 5 and one.held.isdisjoint(two.held))
            said = await backend.said(lambda said: len(said) == 20)
            states = Counter(status["state"] for status in said.values())
            assert states == {"connected": 10, "unassigned": 10}
            assert source(one).unassigned + source(two).unassigned == 10
            started = len(one.started), len(two.started)
            # Another worker brings room.
            three = await fleet.worker("three", max_streams=5)
            await fleet.until(lambda: len(one.held) == len(two.held) == len(three.held) == 5)
            assert (len(one.started), len(two.started)) <= (started[0] + 5, started[1] + 5)

    play(main)


def test_shares_that_a_growing_list_made_uneven_are_evened(kafka: Kafka) -> None:
    async def main() -> None:
        async with Fleet(KafkaBackend(kafka, slots=128)) as fleet:
            workers = [await fleet.worker(name) for name in ("one", "two", "three")]
            await fleet.names(*(f"streamer{number}" for number in range(150)))
            await fleet.until(lambda: all_once(*workers, of=150) and all(45 <= len(w.held) <= 55 for w in workers))

    play(main)


def test_a_broker_that_is_away_for_a_while_costs_no_stream(tmp_path: Path) -> None:
    async def main() -> None:
        async with Kafka(tmp_path) as kafka:
            # The watchdog ends the clients within the outage, so that new ones are what comes back.
            backend = KafkaBackend(kafka, timing=Timing(balance=60.0, watchdog=2.0, rebalance=4.0))
            async with Fleet(backend) as fleet:
                await fleet.names(*TWENTY)
                one, two = await fleet.worker("one"), await fleet.worker("two")
                await settled(fleet, one, two)
                began = list(one.started), list(two.started)
                await kafka.kill(1)
                await eventually(lambda: source(one).rebuilds > 0 and source(two).rebuilds > 0)
                await eventually(lambda: not source(one).fence.current())
                assert all_once(one, two, of=20)
                one.assignments.report(Streamer(next(iter(one.held))), Said("backing_off"))
                await kafka.start(1)
                await eventually(lambda: one.assignments.fence.current() and two.assignments.fence.current())
                assert all_once(one, two, of=20)
                assert (one.started, two.started) == began
                assert source(one).fenced == source(two).fenced == 0
                await fleet.names(*TWENTY, "newcomer")
                await fleet.until(lambda: "newcomer" in one.held | two.held)
                await backend.said(lambda said: any(s and s["state"] == "backing_off" for s in said.values()))

    play(main)


def test_a_start_on_topics_that_are_not_right_is_refused(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SPREAD_SECONDS", 0.2)

    async def main() -> None:
        backend = KafkaBackend(kafka)
        with pytest.raises(
            StartRefused, match=r"topics are missing: list\d+, status\d+; run `producer topics apply`, or"
        ):
            async with backend.open("one"):
                pass
        await backend.prepare()
        with pytest.raises(StartRefused, match=r"list\d+ has 16 partitions and must have PRODUCER_ASSIGNMENT_SLOTS=12"):
            async with backend.open("one", slots=12):
                pass

    play(main)


def test_another_fleet_on_the_same_group_is_refused(kafka: Kafka) -> None:
    async def main() -> None:
        ours, other = KafkaBackend(kafka), KafkaBackend(kafka)
        await other.prepare()
        async with Fleet(ours) as fleet:
            await fleet.worker("one")
            with pytest.raises(StartRefused, match=rf"the group {ours.group} is used by others"):
                async with other.open("two", group=ours.group):
                    pass

    play(main)


def test_a_session_that_the_brokers_do_not_take_is_refused(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka, timing=Timing(session=1.0, heartbeat=0.2))
        await backend.prepare()
        with pytest.raises(StartRefused, match="the brokers refuse PRODUCER_CLAIM_SESSION_SECONDS=1 "):
            async with backend.open("one"):
                pass

    play(main)


def test_a_kafka_that_is_not_there_is_one_line() -> None:
    async def main() -> None:
        nowhere = KafkaAssignments(
            lambda: {"bootstrap_servers": "127.0.0.1:9"},
            list_topic="l",
            status_topic="s",
            group="g",
            worker="one",
            max_streams=1,
        )
        with pytest.raises(StartRefused, match=r"^the list of streamers cannot be had from Kafka: .*$"):
            async with nowhere:
                pass

    play(main)


def test_kafkas_own_tool_shows_the_group_and_its_workers(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.worker("pod-1")
            await fleet.worker("pod-2")
            shown = await kafka.tool(
                "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                *("--bootstrap-server", kafka.bootstrap_servers, "--describe", "--group", backend.group, "--members"),
            )
            members = [line.split() for line in shown.splitlines() if line.startswith(backend.group)]
            assert sorted(words[3] for words in members) == ["pod-1", "pod-2"]
            assert sum(int(words[4]) for words in members) == SLOTS

    play(main)


# ------------------------------------------------------------------------------------------------------- real processes


PROGRAM = """
import asyncio, json, sys, time
from producer.assignments.interface import Said
from producer.assignments.kafka import KafkaAssignments
from producer.assignments.membership import Timing

async def main():
    settings = json.loads(sys.argv[1])
    source = KafkaAssignments(
        lambda: {"bootstrap_servers": settings["bootstrap"]}, list_topic=settings["list"],
        status_topic=settings["status"], group=settings["group"], worker=settings["worker"], max_streams=100,
        slots=settings["slots"],
        timing=Timing(balance=60.0, session=settings["session"], rebalance=settings["rebalance"]))

    async def beat():
        # What a publisher would do: ask the fence, for each record. A beat lasts so long that a pause falls within one.
        while True:
            for streamer in sorted(held):
                if source.fence.current() and not source.fence.lost(streamer):
                    print(json.dumps({"published": streamer, "at": time.time()}), flush=True)
            await asyncio.sleep(0.02)

    held = frozenset()
    async with source:
        beating = asyncio.create_task(beat())
        async for now in source.changes():
            for streamer in held - now:
                await source.release(streamer)
            for streamer in now - held:
                source.report(streamer, Said(**settings["said"]))
            held = now
            print(json.dumps({"held": sorted(held), "fenced": source.fenced, "at": time.time()}), flush=True)

asyncio.run(main())
"""


CONNECTED = {"state": "connected", "room_id": "7"}


class Process:
    """A worker process, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[dict[str, Any]] = []
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.startswith(b"{"):
                self.lines.append(json.loads(line))
                self._changed.set()

    async def says(self, condition: Callable[[dict[str, Any]], bool], *, after: int = 0) -> dict[str, Any]:
        """Wait for a line, after so many, that meets the condition."""
        async with asyncio.timeout(STEP_SECONDS):
            while True:
                for line in self.lines[after:]:
                    if condition(line):
                        return line
                after = len(self.lines)
                self._changed.clear()
                if after == len(self.lines):
                    await self._changed.wait()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading


@asynccontextmanager
async def process(
    kafka: Kafka,
    backend: KafkaBackend,
    worker: str,
    *,
    session: float = 6.0,
    rebalance: float = 10.0,
    said: Mapping[str, object] = CONNECTED,
) -> AsyncIterator[Process]:
    settings = {
        "bootstrap": kafka.bootstrap_servers,
        "list": backend.list_topic,
        "status": backend.status_topic,
        "group": backend.group,
        "worker": worker,
        "slots": backend.slots,
        "session": session,
        "rebalance": rebalance,
        "said": said,
    }
    started = Process(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, json.dumps(settings)), stdout=asyncio.subprocess.PIPE
        )
    )
    try:
        yield started
    finally:
        await started.end()


def test_the_streamers_of_a_worker_that_is_killed_are_with_another_once_its_session_is_over(kafka: Kafka) -> None:
    # How soon that is, the brokers measure, by the session that they were told: the one of six seconds is told them.
    assert Timing().session == 6.0

    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet, process(kafka, backend, "other") as other:
            await fleet.names(*TWENTY)
            await other.says(lambda line: len(line.get("held", ())) == 20)
            one = await fleet.worker("one")
            await fleet.until(lambda: len(one.held) >= 8)
            other.signal(signal.SIGKILL)
            await fleet.until(lambda: len(one.held) == 20)
            assert source(one).fenced == 0

    play(main)


def test_a_worker_that_was_stopped_publishes_nothing_of_what_others_have_when_it_goes_on(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet, process(kafka, backend, "other") as other:
            await fleet.names(*TWENTY)
            await other.says(lambda line: len(line.get("held", ())) == 20)
            other.signal(signal.SIGSTOP)
            one = await fleet.worker("one")
            await fleet.until(lambda: len(one.held) == 20)
            woken, before = time.time(), len(other.lines)
            other.signal(signal.SIGCONT)
            line = await other.says(lambda line: line.get("fenced", 0) > 0, after=before)
            await fleet.until(lambda: len(one.held) < 20)

            def theirs() -> list[str]:
                return next((said["held"] for said in reversed(other.lines[before:]) if "held" in said), [])

            await eventually(lambda: sorted([*theirs(), *one.held]) == list(TWENTY))
            await other.says(lambda line: "published" in line and line["at"] > woken, after=before)

        # It was given a part again, and had lost the rest, each of which was counted.
        assert line["fenced"] == len(one.held)
        # What it had printed before it was stopped may be read only now.
        later = [said for said in other.lines[before:] if "published" in said and said["at"] > woken]
        # It may have been given more at first, and handed that over since.
        given = [said["held"] for said in other.lines[other.lines.index(line) :] if "held" in said]
        assert later
        assert {said["published"] for said in later} <= set().union(*given)
        assert set().union(*given) < set(TWENTY)

    play(main)


class Shelf:
    """A publisher's place."""

    def __init__(self) -> None:
        self.taken = 0

    def publish(self, *records: Record, settled: object = None) -> None:
        self.taken += len(records)


def test_a_rebalance_that_lasts_makes_a_worker_uncertain_and_holds_nothing_back(kafka: Kafka) -> None:
    async def main() -> None:
        # The other one is stopped, and its session is so long that the rebalance waits for it to its own end, which is
        # longer than our session: a rebalance is no reason to stop publishing.
        backend = KafkaBackend(kafka, timing=Timing(balance=60.0, rebalance=9.0))
        async with Fleet(backend) as fleet, process(kafka, backend, "other", session=30.0) as other:
            await fleet.names(*TWENTY)
            one = await fleet.worker("one")
            await other.says(lambda line: len(line.get("held", ())) in range(5, 16))
            await fleet.until(lambda: 5 <= len(one.held) <= 15)
            shelf, ledger, held = Shelf(), Ledger(), one.held
            gate = Gate(
                cast(Publisher, shelf),
                one.assignments.fence,
                ledger=ledger,
                metrics=Metrics(topics=(), version="test"),
                most_held=1,
                most_held_bytes=100_000,
                clock=lambda: 0.0,  # by which this process never stands still
            )
            other.signal(signal.SIGSTOP)
            published = doubts = 0
            joining = asyncio.create_task(fleet.worker("two"))
            while not joining.done():
                for streamer in held:
                    gate.publish(Record("t", streamer.encode(), b"", ()))
                published += len(held)
                assert shelf.taken == published
                doubts += not one.assignments.fence.current()
                await asyncio.sleep(0.02)
            await eventually(one.assignments.fence.current)
            assert doubts > 0, "nobody had to wait"
            assert ledger.fenced == source(one).fenced == 0
            assert [one.started.count(streamer) for streamer in held] == [1] * len(held), "a stream was begun anew"

    play(main)


def members(kafka: Kafka, backend: KafkaBackend) -> dict[str, str]:
    """Each worker's id in the group."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    group = admin.describe_consumer_groups([backend.group])[backend.group].result(STEP_SECONDS)
    return {member.client_id: member.member_id for member in group.members}


def test_a_worker_that_was_stopped_while_it_joined_publishes_nothing_of_what_others_have(kafka: Kafka) -> None:
    async def main() -> None:
        # A silent member makes the rebalance last, so that the other one can be stopped within it. The group waits for
        # neither: it goes on with the other one, which had asked to join and is given less than it had. So many slots
        # that hardly two streamers share one: a third of them is six or seven, whoever joins first.
        backend = KafkaBackend(kafka, slots=64, timing=Timing(balance=0.5, rebalance=7.0))
        async with (
            Fleet(backend) as fleet,
            process(kafka, backend, "other", rebalance=7.0) as other,
            process(kafka, backend, "silent", session=30.0, rebalance=7.0) as silent,
        ):
            await fleet.names(*TWENTY)
            one = await fleet.worker("one")  # leads: the two processes take longer to begin
            await fleet.until(lambda: 0 < len(one.held) <= 8)
            await other.says(lambda line: 5 <= len(line.get("held", ())) <= 8)
            known = await asyncio.to_thread(members, kafka, backend)
            silent.signal(signal.SIGSTOP)
            joining = [asyncio.create_task(fleet.worker(name)) for name in ("two", "three")]
            await asyncio.sleep(2.5)  # a heartbeat tells it to join, and nobody is told that it does
            other.signal(signal.SIGSTOP)
            before = len(other.lines)
            had = next(said["held"] for said in reversed(other.lines) if "held" in said)
            new = await asyncio.gather(*joining)
            await fleet.until(lambda: sum(len(worker.held) for worker in (one, *new)) > 20 - len(had))
            await asyncio.sleep(1.5)  # so that it stood still for longer than its session
            woken = time.time()
            other.signal(signal.SIGCONT)
            line = await other.says(lambda line: line.get("fenced", 0) > 0, after=before)
            await other.says(lambda line: "published" in line and line["at"] > woken + 1.0, after=before)
            now = await asyncio.to_thread(members, kafka, backend)

        if now["other"] != known["other"]:
            return  # this machine was so slow that it was thrown out, which is another test's matter
        assert "silent" not in now, "the rebalance waited for nobody"
        lost = set(had) - set(line["held"])
        assert line["fenced"] == len(lost)
        assert not lost & {said.get("published") for said in other.lines[before:] if said["at"] > woken}
        woken_in_time.append(line)

    woken_in_time: list[Mapping[str, object]] = []
    for _ in range(4):
        if not woken_in_time:
            play(main)
    assert woken_in_time
