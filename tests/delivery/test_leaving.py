"""producer.delivery.publisher, left: in order, by a bug, by a cancellation; nothing is in no sum."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from producer import backoff
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Bounds, Publisher
from producer.delivery.spool import Entry, Spool, SpoolFailed
from producer.delivery.spool_folder import SpoolFolder
from producer.errors import StartRefused
from producer.events.encoding import Record
from tests.delivery.cluster import Cluster, FakeBatch
from tests.delivery.running import (
    DEAD,
    GIFTS,
    TOPIC,
    Bug,
    balances,
    made,
    outage,
    record,
    run,
    spooled,
    until,
    values,
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.001)


class Fault:
    """Raises when a batch of a topic has a value in it, and counts that."""

    def __init__(self, topic: str, value: int) -> None:
        self.fired = 0
        self._topic = topic
        self._value = b"%d" % value

    def __call__(self, topic: str, batch: FakeBatch) -> object:
        if topic == self._topic and self._value in batch.values:
            self.fired += 1
            raise Bug("in a lane")
        return None


def handed_over(publisher: Publisher, numbers: Sequence[int]) -> None:
    for number in numbers:
        publisher.publish(record(number, key=b"%d" % (number % 7), topic=GIFTS if number % 2 else TOPIC))


@pytest.mark.parametrize("disk", [True, False])
def test_a_bug_in_a_lane_ends_the_body_and_every_record_is_in_a_sum(tmp_path: Path, disk: bool) -> None:
    cluster = Cluster(batch_size=10)
    cluster.verdict = fault = Fault(GIFTS, 501)
    ledger = Ledger()
    ended: list[str] = []

    async def main() -> None:
        async with made(cluster, ledger, tmp_path if disk else None, most_records=5000) as publisher:
            handed_over(publisher, range(1000))
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append("cancelled")
                handed_over(publisher, range(1000, 1010))  # sessions hand on what they have while they end
                raise

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(main())

    assert fault.fired == 1
    assert [type(error) for error in raised.value.exceptions] == [Bug]
    assert ended == ["cancelled"]
    assert balances(ledger, handed_over=1010)
    # A batch that had arrived when its lane was cancelled is spooled as well.
    if disk:
        assert set(values(cluster) + values(cluster, GIFTS) + spooled(tmp_path)) == set(range(1010))
        assert (ledger.acknowledged + ledger.spooled, ledger.lost) == (1010, 0)
    else:
        assert ledger.acknowledged + ledger.lost == 1010
    assert 0 < ledger.acknowledged < 1000


def test_what_the_body_raises_comes_out_as_it_is_once_everything_is_sent(tmp_path: Path) -> None:
    cluster = Cluster()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        for number in range(10):
            publisher.publish(record(number))
        raise Bug("in the body")

    with pytest.raises(Bug):
        run(tmp_path, cluster, act)

    assert values(cluster) == list(range(10))


def test_a_bug_while_a_stop_waits_for_kafka_loses_nothing_either(tmp_path: Path) -> None:
    cluster = Cluster(batch_size=1)
    cluster.verdict = fault = Fault(TOPIC, 50)
    ledger = Ledger()

    async def main() -> None:
        async with made(cluster, ledger, tmp_path) as publisher:
            for number in range(100):
                publisher.publish(record(number))

    with pytest.raises(ExceptionGroup):
        asyncio.run(main())

    assert fault.fired == 1
    assert list(dict.fromkeys(values(cluster) + spooled(tmp_path))) == list(range(100))
    assert balances(ledger, handed_over=100)


@pytest.mark.parametrize("before", [True, False], ids=["before it is written", "once it is written"])
def test_a_bug_at_the_spool_ends_the_body_and_everything_is_spooled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    cluster = Cluster()
    ledger = Ledger()
    fired: list[int] = []
    commit = Spool.commit

    def broken(spool: Spool, put: Sequence[tuple[int, Entry]], delete: Sequence[int]) -> None:
        if fired:
            return commit(spool, put, delete)
        fired.append(len(put))
        if not before:
            commit(spool, put, delete)
        raise Bug("at the spool")

    async def main() -> None:
        async with made(cluster, ledger, tmp_path, after=0.0) as publisher:
            outage(cluster)
            for number in range(100):
                publisher.publish(record(number))
            await asyncio.Event().wait()

    monkeypatch.setattr(Spool, "commit", broken)
    with pytest.raises(ExceptionGroup):
        asyncio.run(main())

    assert fired == [100]
    assert spooled(tmp_path) == list(range(100))
    assert (ledger.spooled, ledger.lost) == (100, 0)
    assert balances(ledger, handed_over=100)


def test_a_bug_in_what_makes_dead_letters_keeps_the_record(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.verdict = lambda topic, batch: MessageSizeTooLargeError() if b"3" in batch.values else None
    ledger = Ledger()

    def dead_letter(_: Record, __: BaseException) -> Record:
        raise Bug("in a letter")

    async def main() -> None:
        async with made(cluster, ledger, tmp_path, dead_letter=dead_letter) as publisher:
            for number in range(5):
                publisher.publish(record(number))
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup):
        asyncio.run(main())

    assert sorted(values(cluster) + spooled(tmp_path)) == list(range(5))
    assert balances(ledger, handed_over=5)


class SlowDisk:
    """Commits that wait to be let through, in their thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commits = 0
        self.under_way = threading.Event()
        self.let_through = threading.Event()
        commit = Spool.commit

        def slow(spool: Spool, put: Sequence[tuple[int, Entry]], delete: Sequence[int]) -> None:
            self.commits += 1
            self.under_way.set()
            assert self.let_through.wait(20)
            commit(spool, put, delete)

        monkeypatch.setattr(Spool, "commit", slow)

    async def met(self) -> None:
        assert await asyncio.to_thread(self.under_way.wait, 20)


def test_a_stop_that_is_cancelled_again_and_again_writes_everything_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster()
    ledger = Ledger()
    disk = SlowDisk(monkeypatch)

    async def main() -> None:
        async with made(cluster, ledger, tmp_path, after=60.0, grace=60.0) as publisher:
            outage(cluster)
            for number in range(50):
                publisher.publish(record(number))

    async def cancelled() -> None:
        worker = asyncio.create_task(main())
        await until(lambda: ledger.spooled == 0 and cluster.met > 0)
        worker.cancel()  # while it waits for Kafka
        await disk.met()
        worker.cancel()  # while it writes
        await asyncio.sleep(0)
        worker.cancel()
        await asyncio.sleep(0)
        assert not worker.done()
        disk.let_through.set()
        with pytest.raises(asyncio.CancelledError):
            await worker

    asyncio.run(cancelled())

    assert disk.commits == 1
    assert spooled(tmp_path) == list(range(50))
    assert (ledger.spooled, ledger.lost) == (50, 0)
    assert balances(ledger, handed_over=50)


def test_a_commit_under_way_when_a_lane_raises_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster("hang")
    ledger = Ledger()
    disk = SlowDisk(monkeypatch)
    cluster.verdict = fault = Fault(GIFTS, 7)

    async def main() -> None:
        async with made(cluster, ledger, tmp_path, after=0.0) as publisher:
            for number in range(0, 30, 2):
                publisher.publish(record(number))
            await disk.met()
            publisher.publish(record(7, topic=GIFTS))
            try:
                await asyncio.Event().wait()
            finally:
                for number in range(30, 40, 2):
                    publisher.publish(record(number))
                disk.let_through.set()

    with pytest.raises(ExceptionGroup):
        asyncio.run(main())

    assert fault.fired == 1
    assert sorted(spooled(tmp_path)) == sorted([*range(0, 40, 2), 7])
    assert balances(ledger, handed_over=21)
    assert ledger.spooled == 21


def test_a_stop_sends_what_was_spooled(tmp_path: Path) -> None:
    cluster = Cluster(batch_size=50)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(3000):
            publisher.publish(record(number, key=b"%d" % (number % 7)))
        await until(lambda: ledger.spooled == 3000)
        back()

    ledger = run(tmp_path, cluster, act, most_records=5000, grace=20.0, quiet=20.0)

    assert sorted(values(cluster)) == list(range(3000))
    assert (ledger.acknowledged, ledger.spooled) == (3000, 0)
    assert spooled(tmp_path) == []


def test_a_stop_during_an_outage_waits_until_kafka_has_been_quiet_for_long_and_says_what_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        outage(cluster)
        for number in range(10):
            publisher.publish(record(number))
        await until(lambda: ledger.spooled == 10)

    ledger = run(tmp_path, cluster, act, grace=3600.0, quiet=0.3)  # the test's own deadline is thirty seconds

    said = capsys.readouterr().out
    assert (ledger.spooled, ledger.lost) == (10, 0)
    assert "leaving before Kafka has everything" in said
    assert "records stay in the spool" in said
    [line] = [line for line in said.splitlines() if "records stay in the spool" in line]
    assert f"file={tmp_path}/spool-0.db" in line
    assert "records=10" in line
    assert "oldest_seconds=" in line


@pytest.mark.parametrize(
    ("acknowledged_at", "memory_alone", "ends"),
    [
        (float("-inf"), False, 110.0),  # nothing since it began: ten seconds
        (90.0, False, 110.0),  # nor just before
        (104.0, False, 114.0),
        (125.0, False, 130.0),  # the grace is thirty
        (float("-inf"), True, 130.0),  # who has no disk waits for all of it
    ],
)
def test_a_stop_ends_with_the_grace_or_ten_seconds_after_kafka_last_took_something(
    acknowledged_at: float, memory_alone: bool, ends: float
) -> None:
    bounds = Bounds(grace_seconds=30.0)

    assert bounds.leaves_at(began=100.0, acknowledged_at=acknowledged_at, memory_alone=memory_alone) == ends


def test_what_a_stop_loses_is_shown_before_it_has_ended() -> None:
    cluster = Cluster(*["hang"] * 10)
    ledger = Ledger()
    shown: list[float | None] = []

    async def main() -> None:
        publisher = made(cluster, ledger, None, grace=0.05)
        async with publisher:
            for number in range(10):
                publisher.publish(record(number))
        registry = publisher._metrics.registry
        shown.append(registry.get_sample_value("tiktok_live_events_dropped_total", {"reason": "shutdown"}))
        shown.append(registry.get_sample_value("tiktok_live_inflight_records"))
        assert not publisher.connected

    asyncio.run(main())

    assert shown == [10.0, 0.0]
    assert balances(ledger, handed_over=10)


def test_a_start_that_is_cancelled_while_a_large_file_is_opened_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = threading.Event()
    given_up: list[bool] = []

    def own(folder: SpoolFolder) -> Spool:
        opening.set()
        given_up.append(folder._given_up.wait(20))
        raise SpoolFailed("interrupted")

    async def main() -> None:
        async with made(Cluster(), Ledger(), tmp_path):
            raise AssertionError("it was entered")

    async def cancelled() -> None:
        worker = asyncio.create_task(main())
        assert await asyncio.to_thread(opening.wait, 20)
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker

    monkeypatch.setattr(SpoolFolder, "own", own)
    asyncio.run(cancelled())

    assert given_up == [True]


def test_a_start_that_kafka_refuses_gives_the_file_back(tmp_path: Path) -> None:
    async def act(publisher: Publisher, ledger: Ledger) -> None:
        publisher.publish(record(1, topic=DEAD))

    with pytest.raises(StartRefused):
        run(tmp_path, Cluster(connects=[KafkaConnectionError("not yet")]), act)
    ledger = run(tmp_path, Cluster(), act)

    assert ledger.dead_lettered == 1
    assert [path.name for path in tmp_path.glob("*.db")] == ["spool-0.db"]
