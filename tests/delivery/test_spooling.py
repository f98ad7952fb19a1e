"""The publisher with a spool: what Kafka does not take in time is written down, and comes back in order."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from aiokafka import errors as kafka_errors

from producer import backoff
from producer.delivery import spooling
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.delivery.spool import Entry, Spool, Spooled, SpoolFailed
from producer.events.encoding import Record
from tests.delivery.cluster import Cluster, FakeBatch
from tests.delivery.running import GIFTS, TOPIC, balances, outage, record, run, spooled, until, values

PARTITIONS_OF_FIVE = (1, 4, 3, 3, 3, 0, 3, 4, 2, 3)
"""Of the keys "0" to "9", by the Java client: Utils.toPositive(Utils.murmur2(key)) % 5."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.001)


def test_an_outage_is_spooled_and_delivered_in_order_before_what_is_newer(tmp_path: Path) -> None:
    cluster = Cluster(batch_size=7)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(300):
            publisher.publish(record(number))
        await until(lambda: ledger.spooled == 300)
        assert publisher.in_flight == 0
        back()
        for number in range(300, 600):
            publisher.publish(record(number))
            await asyncio.sleep(0)
        await until(lambda: ledger.acknowledged == 600)

    ledger = run(tmp_path, cluster, act)

    assert cluster.met > 0
    assert values(cluster) == list(range(600))
    assert (ledger.spooled, ledger.lost) == (0, 0)


def test_records_go_on_being_spooled_in_order_while_the_spool_is_drained(tmp_path: Path) -> None:
    cluster = Cluster(batch_size=3)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        for round_ in range(4):
            back = outage(cluster)
            for number in range(100):
                publisher.publish(record(round_ * 100 + number))
                await asyncio.sleep(0.001)
            back()
        await until(lambda: ledger.acknowledged == 400)

    ledger = run(tmp_path, cluster, act, after=0.01)

    assert cluster.met > 0
    assert values(cluster) == list(range(400))
    assert ledger.spooled == 0


def test_what_a_stop_cannot_send_is_spooled_and_the_next_run_sends_it_first(tmp_path: Path) -> None:
    first, second = Cluster(), Cluster()

    async def leave(publisher: Publisher, ledger: Ledger) -> None:
        outage(first)
        for number in range(50):
            publisher.publish(record(number, key=b"%d" % (number % 5)))

    async def come(publisher: Publisher, ledger: Ledger) -> None:
        for number in range(50, 60):
            publisher.publish(record(number, key=b"%d" % (number % 5)))
        await until(lambda: ledger.acknowledged == 60)

    left = run(tmp_path, first, leave, after=60.0, grace=0.05)
    came = run(tmp_path, second, come)

    assert (left.spooled, left.lost) == (50, 0)
    assert (came.recovered, came.spooled, came.acknowledged) == (50, 0, 60)
    by_key: dict[int, list[int]] = {}
    for number in values(second):
        by_key.setdefault(number % 5, []).append(number)
    assert by_key == {key: list(range(key, 60, 5)) for key in range(5)}


def test_a_batch_that_is_under_way_is_spooled_too(tmp_path: Path) -> None:
    cluster = Cluster("hang")

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        publisher.publish(record(1))
        await until(lambda: ledger.spooled == 1)
        assert cluster.met == 1

    ledger = run(tmp_path, cluster, act, grace=0.01)

    assert (ledger.spooled, ledger.lost) == (1, 0)


def test_a_full_spool_makes_callers_wait_and_keeps_a_part_for_gifts(tmp_path: Path) -> None:
    cluster = Cluster()
    waited: list[bool] = []

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(100):
            publisher.publish(Record(TOPIC, b"someone", b"%d" % number + b" " * 100_000))
            await asyncio.sleep(0)
        await until(lambda: ledger.spooled > 0)
        spooled = -1
        while spooled != ledger.spooled:
            spooled = ledger.spooled
            await asyncio.sleep(0.3)
        assert 0 < spooled < 100
        publisher.publish(record(1, topic=GIFTS))
        await until(lambda: ledger.spooled == spooled + 1)
        room = asyncio.create_task(publisher.room())
        await asyncio.sleep(0.05)
        waited.append(not room.done())
        back()
        await room
        await until(lambda: ledger.acknowledged == 101)

    ledger = run(tmp_path, cluster, act, max_bytes=2_000_000, most_records=40)

    assert waited == [True]
    assert values(cluster) == list(range(100))
    assert (ledger.dropped, ledger.lost) == (0, 0)


def test_what_a_full_spool_has_had_no_space_for_is_dropped_in_the_end_and_counted(tmp_path: Path) -> None:
    cluster = Cluster()
    counted: list[float | None] = []

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(100):
            publisher.publish(Record(TOPIC, b"someone", b"%d" % number + b" " * 100_000))
        for number in range(3):
            publisher.publish(record(number, topic=GIFTS))
        await until(lambda: publisher.in_flight == 0)
        back()
        await until(lambda: ledger.spooled == 0)
        metric = publisher._metrics.registry.get_sample_value
        counted.append(metric("tiktok_live_events_dropped_total", {"reason": "spool_full"}))

    ledger = run(tmp_path, cluster, act, max_bytes=2_000_000, patience=0.1)

    kept = values(cluster)
    assert values(cluster, GIFTS) == [0, 1, 2]
    assert 0 < len(kept) < 100
    assert kept == sorted(kept)
    assert ledger.dropped == 100 - len(kept)
    assert counted == [ledger.dropped]


def test_whoever_hands_a_record_over_is_told_when_it_is_spooled(tmp_path: Path) -> None:
    cluster = Cluster()
    told = asyncio.Event()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        outage(cluster)
        publisher.publish(record(1), settled=told.set)
        await told.wait()
        assert (ledger.spooled, ledger.acknowledged) == (1, 0)

    run(tmp_path, cluster, act)


def test_a_refused_record_of_the_spool_becomes_a_dead_letter(tmp_path: Path) -> None:
    cluster = Cluster()

    def verdict(topic: str, batch: FakeBatch) -> object:
        return kafka_errors.MessageSizeTooLargeError() if topic == TOPIC and b"2" in batch.values else None

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(5):
            publisher.publish(record(number))
        await until(lambda: ledger.spooled == 5)
        back()
        cluster.verdict = verdict
        await until(lambda: ledger.acknowledged + ledger.dead_lettered == 5)

    ledger = run(tmp_path, cluster, act)

    assert values(cluster) == [0, 1, 3, 4]
    assert (ledger.dead_lettered, ledger.spooled, ledger.lost) == (1, 0, 0)


def test_a_record_that_is_refused_and_spooled_before_its_client_has_ended_becomes_a_dead_letter(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.verdict = lambda topic, batch: kafka_errors.MessageSizeTooLargeError() if topic == TOPIC else None

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        cluster.closes = asyncio.Event()
        publisher.publish(record(1))
        await until(lambda: ledger.spooled == 1)
        cluster.closes.set()
        await until(lambda: ledger.dead_lettered == 1)

    ledger = run(tmp_path, cluster, act, after=0.0)

    assert cluster.met == 1
    assert (ledger.dead_lettered, ledger.spooled) == (1, 0)
    assert balances(ledger, handed_over=1)


class Disk:
    """Commits, of which one waits in its thread, or fails, when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commits: list[tuple[int, int]] = []
        """How many records each was to write, and to delete."""
        self.fails = 0
        """So many of the next fail."""
        self.failed = 0
        self.waiting = threading.Event()
        self.waits = False
        self.go_on = threading.Event()
        commit = Spool.commit

        def watched(spool: Spool, put: Sequence[tuple[int, Entry]], delete: Sequence[int]) -> None:
            self.commits.append((len(put), len(delete)))
            if self.waits:
                self.waits = False
                self.waiting.set()
                assert self.go_on.wait(20)
            if self.fails:
                self.fails -= 1
                self.failed += 1
                raise SpoolFailed("the disk is full")
            commit(spool, put, delete)

        monkeypatch.setattr(Spool, "commit", watched)


def test_a_record_that_is_acknowledged_while_it_is_written_down_does_not_stay_in_the_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster()
    disk = Disk(monkeypatch)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        disk.waits = True
        for number in range(3):
            publisher.publish(record(number))
        assert await asyncio.to_thread(disk.waiting.wait, 20)
        back()
        await until(lambda: ledger.acknowledged == 3)
        disk.go_on.set()
        await until(lambda: (0, 3) in disk.commits)

    ledger = run(tmp_path, cluster, act)

    assert disk.commits[0] == (3, 0)
    assert (ledger.acknowledged, ledger.spooled) == (3, 0)
    assert balances(ledger, handed_over=3)
    assert spooled(tmp_path) == []


def test_what_a_commit_that_fails_was_to_delete_is_deleted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "RETRY_SECONDS", 0.01)
    cluster = Cluster()
    disk = Disk(monkeypatch)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(10):
            publisher.publish(record(number))
        await until(lambda: ledger.spooled == 10)
        disk.fails = 1
        back()
        await until(lambda: ledger.acknowledged == 10 and disk.failed == 1)

    ledger = run(tmp_path, cluster, act)

    assert ledger.acknowledged == 10
    assert spooled(tmp_path) == []


def test_a_disk_that_fails_for_a_while_keeps_records_in_memory_and_is_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spooling, "RETRY_SECONDS", 0.01)
    cluster = Cluster()
    disk = Disk(monkeypatch)
    usable: list[float | None] = []

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        outage(cluster)
        disk.fails = 5
        for number in range(10):
            publisher.publish(record(number))
        await until(lambda: disk.failed == 2)
        usable.append(publisher._metrics.registry.get_sample_value("tiktok_live_spool_usable"))
        assert publisher.in_flight == 10
        await until(lambda: ledger.spooled == 10)
        usable.append(publisher._metrics.registry.get_sample_value("tiktok_live_spool_usable"))

    run(tmp_path, cluster, act)

    said = capsys.readouterr().out
    assert disk.failed == 5
    assert usable == [0.0, 1.0]
    assert said.count("spool cannot be used; records stay in memory, and rooms wait") == 1
    assert said.count("spool works again") == 1
    assert spooled(tmp_path) == list(range(10))


def test_a_spool_that_cannot_be_opened_at_the_start_is_taken_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "RETRY_SECONDS", 0.01)
    folder = tmp_path / "spool"
    folder.write_text("no folder")
    cluster = Cluster()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        outage(cluster)
        for number in range(10):
            publisher.publish(record(number))
        await until(lambda: cluster.met > 0)
        assert (publisher.in_flight, ledger.spooled) == (10, 0)
        folder.unlink()
        await until(lambda: ledger.spooled == 10)

    ledger = run(folder, cluster, act)

    assert spooled(folder) == list(range(10))
    assert balances(ledger, handed_over=10)


def test_a_folder_that_is_taken_away_is_made_again_with_all_that_was_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "spool"
    cluster = Cluster()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(100):
            publisher.publish(record(number))
        await until(lambda: ledger.spooled == 100)
        shutil.rmtree(folder)
        for number in range(100, 110):
            publisher.publish(record(number))
        await until(lambda: ledger.spooled == 110)
        with closing(sqlite3.connect(folder / "spool-0.db")) as file:
            assert file.execute("SELECT count(*) FROM records").fetchone() == (110,)
        back()

    ledger = run(folder, cluster, act, quiet=20.0)

    assert "spool moved" in capsys.readouterr().out
    assert values(cluster) == list(range(110))
    assert balances(ledger, handed_over=110)
    assert spooled(folder) == []


@pytest.mark.parametrize("partitions", [1, 5])
def test_records_go_to_the_partition_that_their_key_has_when_they_are_sent(tmp_path: Path, partitions: int) -> None:
    first, second = Cluster(), Cluster()
    keys = [b"%d" % number for number in range(10)]

    async def leave(publisher: Publisher, ledger: Ledger) -> None:
        outage(first)
        for number in range(200):
            publisher.publish(record(number, key=keys[number % 10]))
        await until(lambda: ledger.spooled == 200)

    async def come(publisher: Publisher, ledger: Ledger) -> None:
        for number in range(200, 220):
            publisher.publish(record(number, key=keys[number % 10]))
        await until(lambda: ledger.acknowledged == 220)

    run(tmp_path, first, leave, partitions={TOPIC: 2})
    ledger = run(tmp_path, second, come, partitions={TOPIC: partitions})

    where: dict[int, set[int]] = {}
    order: dict[int, list[int]] = {}
    for _, partition, value in second.log:
        where.setdefault(int(value) % 10, set()).add(partition)
        order.setdefault(int(value) % 10, []).append(int(value))
    assert where == {key: {PARTITIONS_OF_FIVE[key] if partitions == 5 else 0} for key in range(10)}
    assert order == {key: list(range(key, 220, 10)) for key in range(10)}
    assert (ledger.recovered, ledger.spooled) == (200, 0)
    assert spooled(tmp_path) == []


def test_records_of_a_topic_that_is_gone_stay_are_named_and_counted_and_are_sent_once_it_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def leave(publisher: Publisher, ledger: Ledger) -> None:
        outage(clusters[0])
        for number in range(10):
            publisher.publish(record(number, topic=GIFTS if number < 3 else TOPIC))
        await until(lambda: ledger.spooled == 10)

    async def come(publisher: Publisher, ledger: Ledger) -> None:
        metric = publisher._metrics.registry.get_sample_value
        shown.append(metric("tiktok_live_spool_unroutable_records"))
        await until(lambda: ledger.spooled == 0)

    clusters = [Cluster() for _ in range(3)]
    shown: list[float | None] = []
    run(tmp_path, clusters[0], leave)
    without = run(tmp_path, clusters[1], come, partitions={TOPIC: 2})
    said = capsys.readouterr().out
    with_it = run(tmp_path, clusters[2], come)

    assert values(clusters[1]) == list(range(3, 10))
    assert (without.recovered, without.acknowledged, without.unroutable, without.spooled) == (10, 7, 3, 0)
    assert balances(without, handed_over=0)
    [line] = [line for line in said.splitlines() if "of a topic that is not there" in line]
    assert "records=3" in line
    assert f"topic={GIFTS}" in line
    assert shown == [3.0, 0.0]
    assert values(clusters[2], GIFTS) == [0, 1, 2]
    assert (with_it.recovered, with_it.acknowledged, with_it.unroutable) == (3, 3, 0)


def test_lanes_that_read_at_once_when_kafka_is_back_share_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "READ_RECORDS", 100)
    cluster = Cluster(batch_size=1000)
    read: list[int] = []
    read_ = Spool.read

    def watched(spool: Spool, topic: str, **more: int) -> list[Spooled]:
        found = read_(spool, topic, **more)
        read.append(len(found))
        return found

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(5000):
            publisher.publish(record(number, key=b"%d" % (number % 100)))
        await until(lambda: ledger.spooled == 5000)
        monkeypatch.setattr(Spool, "read", watched)
        back()
        cluster.verdict = lambda topic, batch: "hang"
        await until(lambda: len(read) == 20)

    ledger = run(tmp_path, cluster, act, partitions={TOPIC: 20}, most_records=10_000)

    assert max(read) <= 5  # a twentieth each
    assert ledger.spooled == 5000
