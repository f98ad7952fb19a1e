"""producer.delivery.heir, in a publisher that runs: what dead workers left is sent by it, and counted."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from producer import backoff
from producer.delivery import heir
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.delivery.spool import Entry, Spool
from producer.delivery.spool_folder import SpoolFolder
from producer.events.encoding import Record
from tests.delivery.cluster import Cluster
from tests.delivery.running import GIFTS, TOPIC, balances, outage, record, run, spooled, until, values


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.001)
    monkeypatch.setattr(heir, "LOOK_SECONDS", 0.02)


def living(folder: Path, numbers: Sequence[int], *, topic: str = TOPIC, keys: int = 1) -> Spool:
    """Open a file and put records in it; it is left by a dead worker once it is closed."""
    spool = SpoolFolder(folder, max_bytes=1 << 24).own(with_records=False)
    records = [Record(topic, b"%d" % (number % keys), b"%d" % number) for number in numbers]
    spool.commit([(i, Entry(each, 1_790_000_000_000)) for i, each in enumerate(records, spool.next_id)], ())
    return spool


def by_key(numbers: list[int], keys: int) -> dict[int, list[int]]:
    return {key: [number for number in numbers if number % keys == key] for key in range(keys)}


def test_two_dead_workers_files_are_sent_by_one_that_runs_each_in_its_order(tmp_path: Path) -> None:
    cluster = Cluster(batch_size=7)
    publishers: list[Publisher] = []

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        publishers.append(publisher)
        for number in range(10):
            publisher.publish(record(number))
        await until(lambda: ledger.acknowledged == 10)
        first, second = living(tmp_path, range(100, 400), keys=5), living(tmp_path, range(500, 700), keys=5)
        first.close()
        second.close()
        await until(lambda: ledger.acknowledged == 510)
        publisher.publish(record(700))
        await until(lambda: ledger.acknowledged == 511)

    ledger = run(tmp_path, cluster, act)

    sent = values(cluster)
    assert sorted(sent) == [*range(10), *range(100, 400), *range(500, 701)]
    assert by_key([n for n in sent if 100 <= n < 400], 5) == by_key(list(range(100, 400)), 5)
    assert by_key([n for n in sent if 500 <= n < 700], 5) == by_key(list(range(500, 700)), 5)
    assert (ledger.recovered, ledger.acknowledged, ledger.spooled) == (500, 511, 0)
    assert balances(ledger, handed_over=11)
    metric = publishers[0]._metrics.registry.get_sample_value
    assert [metric(f"tiktok_live_spool_{name}") for name in ("records", "bytes", "unroutable_records")] == [0, 0, 0]
    assert spooled(tmp_path) == []


def test_what_the_dead_left_and_what_comes_now_take_turns_on_a_partition(tmp_path: Path) -> None:
    cluster = Cluster(batch_size=1)
    cluster.turns = 20

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        def in_line() -> bool:
            """Whether the dead's records wait for their turn, read from the disk."""
            heir = publisher._heir
            return heir is not None and heir.guest is not None and all(each.head for each in heir.guest.lanes.values())

        back = outage(cluster)
        for number in range(300):
            publisher.publish(record(number))
        living(tmp_path, range(1000, 1100)).close()
        await until(lambda: ledger.recovered == 100)
        await until(in_line)
        back()
        await until(lambda: ledger.acknowledged == 400)

    run(tmp_path, cluster, act, partitions={TOPIC: 1}, after=60.0)

    sent = values(cluster)
    assert cluster.most_under_way == 1
    assert [number for number in sent if number >= 1000] == list(range(1000, 1100))
    assert [number for number in sent if number < 1000] == list(range(300))
    # From the first of the dead's to their last, nobody had two turns while the other waited.
    part = [number >= 1000 for number in sent[sent.index(1000) : sent.index(1099) + 1]]
    assert part == [place % 2 == 0 for place in range(199)]


def test_what_is_taken_up_during_an_outage_is_counted_at_once_and_sent_after(tmp_path: Path) -> None:
    cluster = Cluster()
    gauges: list[float | None] = []

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(5):
            publisher.publish(record(number))
        await until(lambda: ledger.spooled == 5)
        living(tmp_path, range(100, 120)).close()
        await until(lambda: ledger.recovered == 20)
        publisher.publish(record(5))
        await until(lambda: ledger.spooled == 26)
        metric = publisher._metrics.registry.get_sample_value
        gauges.append(metric("tiktok_live_spool_records"))
        gauges.append(metric("tiktok_live_spool_bytes"))
        back()
        await until(lambda: not ledger.spooled)

    ledger = run(tmp_path, cluster, act, quiet=20.0)

    assert sorted(values(cluster)) == [*range(6), *range(100, 120)]
    # Each: 12 of the topic, a key of 7 or 1, a value of 1 or 3, and 128 for the row.
    assert gauges == [26.0, 6 * (12 + 7 + 1 + 128) + 20 * (12 + 1 + 3 + 128)]
    assert balances(ledger, handed_over=6)


def test_a_batch_of_the_dead_that_fails_does_not_get_the_spoilt_client_again(tmp_path: Path) -> None:
    living(tmp_path, range(6)).close()
    living(tmp_path, range(10, 16)).close()
    cluster = Cluster(ConnectionResetError(), None, ConnectionResetError(), batch_size=2)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        await until(lambda: ledger.acknowledged == 12)

    ledger = run(tmp_path, cluster, act)

    assert cluster.met == 2
    assert sorted(values(cluster)) == [*range(6), *range(10, 16)]
    assert ledger.recovered == 12


def test_a_stop_sends_what_the_dead_left_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heir, "LOOK_SECONDS", 3600.0)
    cluster = Cluster()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        publisher.publish(record(0))
        await until(lambda: ledger.acknowledged == 1)
        await until(lambda: publisher._heir is not None and publisher._heir.idle)
        living(tmp_path, range(10, 30)).close()
        living(tmp_path, range(40, 50)).close()

    ledger = run(tmp_path, cluster, act, quiet=20.0, grace=20.0)

    assert sorted(values(cluster)) == [0, *range(10, 30), *range(40, 50)]
    assert (ledger.recovered, ledger.spooled) == (30, 0)
    assert spooled(tmp_path) == []


def test_a_stop_during_an_outage_gives_back_what_it_had_taken_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        outage(cluster)
        living(tmp_path, range(10, 30)).close()
        await until(lambda: ledger.recovered == 20)

    ledger = run(tmp_path, cluster, act)

    [line] = [line for line in capsys.readouterr().out.splitlines() if "records stay in the spool" in line]
    assert "spool-1.db" in line
    assert "records=20" in line
    assert (ledger.recovered, ledger.spooled) == (20, 20)
    assert balances(ledger, handed_over=0)
    assert spooled(tmp_path) == list(range(10, 30))


def test_records_of_the_dead_whose_topic_is_gone_stay_in_their_file_and_the_next_file_is_taken_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        spools = [
            living(tmp_path, range(10, 13), topic=GIFTS),
            living(tmp_path, range(20, 25)),
            living(tmp_path, range(30, 34)),
        ]
        for spool in spools:
            spool.close()
        await until(lambda: ledger.acknowledged == 9)

    ledger = run(tmp_path, cluster, act, partitions={TOPIC: 2})

    assert sorted(values(cluster)) == [*range(20, 25), *range(30, 34)]
    assert (ledger.recovered, ledger.acknowledged, ledger.unroutable, ledger.spooled) == (12, 9, 3, 0)
    assert balances(ledger, handed_over=0)
    assert capsys.readouterr().out.count("of a topic that is not there") == 1
    assert spooled(tmp_path) == [10, 11, 12]


def test_a_folder_that_cannot_be_read_is_said_once_and_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster()
    fails, looks = 5, 0
    iterdir = Path.iterdir

    def failing(path: Path) -> object:
        nonlocal fails, looks
        looks += 1
        if fails and looks > 1:  # the first is for a file of its own
            fails -= 1
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        await until(lambda: fails < 5)
        living(tmp_path, range(10, 13)).close()
        await until(lambda: ledger.acknowledged == 3)

    monkeypatch.setattr(Path, "iterdir", failing)
    run(tmp_path, cluster, act)

    assert fails == 0
    assert capsys.readouterr().out.count("spool folder cannot be looked at") == 1
    assert values(cluster) == [10, 11, 12]


def test_a_stop_while_a_file_is_given_back_gives_it_back_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    living(tmp_path, range(10, 12)).close()  # the publisher's own, since it is the first with records
    living(tmp_path, range(5)).close()
    under_way, go_on = threading.Event(), threading.Event()
    leave, left = SpoolFolder.leave, []

    def slow(folder: SpoolFolder, spool: Spool) -> None:
        left.append(spool.path.name)
        if spool.path.name == "spool-1.db":
            under_way.set()
            assert go_on.wait(20)
        leave(folder, spool)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        assert await asyncio.to_thread(under_way.wait, 20)
        publisher.publish(record(9))
        outage(cluster)  # so that the stop has to break off
        asyncio.get_running_loop().call_later(0.3, go_on.set)

    cluster = Cluster()
    monkeypatch.setattr(SpoolFolder, "leave", slow)
    ledger = run(tmp_path, cluster, act, grace=0.05)

    assert left.count("spool-1.db") == 1
    assert balances(ledger, handed_over=1)


def test_a_stop_does_not_trust_a_look_that_was_under_way_when_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, go_on = threading.Event(), threading.Event()
    left = SpoolFolder.left

    def slow(folder: SpoolFolder) -> Spool | None:
        if looking.is_set():
            return left(folder)
        looking.set()
        assert go_on.wait(20)
        return None  # it had looked before there was anything

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        assert await asyncio.to_thread(looking.wait, 20)
        living(tmp_path, range(5)).close()
        asyncio.get_running_loop().call_later(0.2, go_on.set)

    cluster = Cluster()
    monkeypatch.setattr(SpoolFolder, "left", slow)
    ledger = run(tmp_path, cluster, act, quiet=20.0, grace=20.0)

    assert values(cluster) == list(range(5))
    assert (ledger.recovered, ledger.acknowledged) == (5, 5)
