"""producer.service: how a worker starts, is stopped and leaves, with a publisher that needs no Kafka."""

import asyncio
import gc
import os
import resource
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, cast

import httpx
import pytest
from structlog.testing import capture_logs

from producer import service
from producer.assignments.file import FileAssignments
from producer.delivery import assembly
from producer.delivery.ledger import Ledger
from producer.delivery.letterbox import Letterbox
from producer.delivery.publisher import Publisher
from producer.errors import StartRefused
from producer.events import schemas
from producer.events.encoding import Encoder, Record
from producer.local.processes import free_ports
from producer.observability.metrics import Metrics
from producer.session import Session
from producer.settings import Settings, from_environ

LONG = 3600.0
STREAMERS = ("one", "two", "three")


class OurBug(BaseException):
    """Not even an Exception."""


class Broker:
    """Stands for the publisher and what is behind it."""

    in_flight = 0

    def __init__(self, worker: "Subject", ledger: Ledger, metrics: Metrics) -> None:
        self.connected = False
        self.ledger = ledger
        self.metrics = metrics
        self._worker = worker
        self._lanes = asyncio.TaskGroup()

    async def __aenter__(self) -> "Broker":
        await self._lanes.__aenter__()
        self.connected = True
        if self._worker.lane is not None:
            self._lanes.create_task(self._worker.lane())
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            self._worker.released_before_kafka = self._worker.events().count("released")
            if self._worker.at_the_end is not None:
                await self._worker.at_the_end(self)
        finally:
            self._worker.left_kafka = True
            self.connected = False
            await self._lanes.__aexit__(None, None, None)

    async def room(self) -> None:
        pass

    def publish(self, *records: Record, settled: Callable[[], None] | None = None) -> None:
        self.ledger.acknowledged += len(records)


class Slow(Session):
    """Takes some turns of the loop to leave, as one does that closes a socket."""

    async def run(self) -> NoReturn:
        try:
            await super().run()
        finally:
            for _ in range(100):
                await asyncio.sleep(0)


class Subject:
    """A worker in this process, and what happens to it."""

    def __init__(self, folder: Path, lines: list[MutableMapping[str, Any]]) -> None:
        (folder / "list.yaml").write_text(f"streamers: [{', '.join(STREAMERS)}]\n")
        [self.port] = free_ports(1)
        self.folder = folder
        self.lines = lines
        self.may_connect = asyncio.Event()
        self.may_connect.set()
        self.connecting = asyncio.Event()
        self.lane: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.at_the_end: Callable[[Broker], Awaitable[None]] | None = None
        self.left_kafka = False
        self.released_before_kafka = 0

    def settings(self, **more: str) -> Settings:
        values = {
            "upstream": "http://127.0.0.1:9",
            "kafka_bootstrap_servers": "127.0.0.1:9",
            "assignments_file": str(self.folder / "list.yaml"),
            "http_port": str(self.port),
            "worker_name": "subject",
            "grace_seconds": str(LONG),
            "gift_list_refresh_seconds": "0",
            **more,
        }
        return from_environ({f"PRODUCER_{name.upper()}": value for name, value in values.items()})

    async def publisher(self, settings: Settings, ledger: Ledger, metrics: Metrics, **_: object) -> Publisher:
        self.connecting.set()
        await self.may_connect.wait()
        return cast(Publisher, Broker(self, ledger, metrics))

    def events(self) -> list[str]:
        return [str(line["event"]) for line in self.lines]

    async def logged(self, event: str, times: int = 1) -> None:
        while self.events().count(event) < times:
            await asyncio.sleep(0.01)

    async def streams(self) -> None:
        await self.logged("started")
        await self.logged("claimed", len(STREAMERS))

    async def ask(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client:
            return await client.get(f"http://127.0.0.1:{self.port}{path}")


async def encoder(_: Settings) -> Encoder:
    return Encoder(schemas.events(), topic_prefix="tiktok.live", schema_ids=None, max_bytes=1_000_000)


def live(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    scene: Callable[[Subject], Awaitable[None]],
    *,
    run: Callable[[Subject], Awaitable[Ledger]] | None = None,
    **settings: str,
) -> tuple[Subject, Ledger]:
    """Run a worker beside a scene; a scene that ends early is no reason for the worker to end."""

    async def main() -> tuple[Subject, Ledger]:
        subject = Subject(folder, lines)
        monkeypatch.setattr(assembly, "publisher", subject.publisher)
        monkeypatch.setattr(assembly, "encoder", encoder)
        monkeypatch.setattr(service, "Session", Slow)
        playing = asyncio.create_task(cast("Any", scene(subject)))
        thresholds = gc.get_threshold()
        try:
            async with asyncio.timeout(60):
                ledger = await (run(subject) if run else service.run(subject.settings(**settings)))
                await playing
        finally:
            gc.unfreeze()
            gc.set_threshold(*thresholds)
            playing.cancel()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().remove_signal_handler(number)
        return subject, ledger

    with capture_logs() as lines:
        return asyncio.run(main())


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_stop_ends_sessions_then_claims_then_kafka_and_gives_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(subject: Subject) -> None:
        await subject.streams()
        assert gc.get_freeze_count() > 10_000  # what was made at the start is out of the collector's way
        assert gc.get_threshold()[2] > 1_000_000  # and what comes later is looked through when we say so
        stop()

    subject, ledger = live(tmp_path, monkeypatch, scene)

    assert subject.released_before_kafka == len(STREAMERS)
    assert [event for event in subject.events() if event in ("starting", "started", "stopping", "stopped")] == [
        *("starting", "started", "stopping", "stopped")
    ]
    own = ledger.own  # what the list says of a streamer, if the stop was not faster
    assert own <= len(STREAMERS)
    assert subject.lines[-1] == {
        **asdict(Ledger(own=own, acknowledged=own)),
        "in_flight": 0,
        "balanced": True,
        "event": "stopped",
        "log_level": "info",
    }
    assert ledger == Ledger(own=own, acknowledged=own)


def test_http_answers_from_before_kafka_until_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_the_end(_: Broker) -> None:
        assert (await subject_of[0].ask("/livez")).status_code == 200
        assert (await subject_of[0].ask("/status")).json()["streamers"] == []

    subject_of: list[Subject] = []

    async def scene(subject: Subject) -> None:
        subject_of.append(subject)
        subject.at_the_end = at_the_end
        subject.may_connect.clear()
        await subject.connecting.wait()
        asked = [await subject.ask(path) for path in ("/livez", "/readyz", "/startupz", "/status", "/metrics")]
        assert [answer.status_code for answer in asked] == [200, 503, 503, 200, 200]
        assert asked[1].json() == {"kafka": False, "assignments": False, "statuses": False}
        assert asked[3].json()["worker"] == "subject"
        assert asked[3].json()["streamers"] == []

        subject.may_connect.set()
        await subject.streams()
        assert (await subject.ask("/readyz")).json() == {"kafka": True, "assignments": True, "statuses": True}
        assert (await subject.ask("/startupz")).status_code == 200
        described = (await subject.ask("/status")).json()["streamers"]
        assert sorted(each["streamer"] for each in described) == sorted(STREAMERS)
        assert all({"asked_at", "next_look_up_at"} <= each.keys() for each in described)
        stop()

    subject, _ = live(tmp_path, monkeypatch, scene)

    assert subject.left_kafka


def test_what_a_stop_loses_reaches_a_last_scrape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scraped: list[str] = []

    async def lose(broker: Broker) -> None:
        broker.ledger.lost += 3
        broker.metrics.dropped_at_shutdown(3)

    async def scene(subject: Subject) -> None:
        subject.at_the_end = lose
        await subject.streams()
        stop()
        while not subject.left_kafka:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)  # longer than the server takes over its end
        scraped.append((await subject.ask("/metrics")).text)

    live(tmp_path, monkeypatch, scene)

    assert 'tiktok_live_events_dropped_total{reason="shutdown"} 3.0\n' in scraped[0]


def test_nobody_waits_longer_than_the_grace_for_that_scrape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lose(broker: Broker) -> None:
        broker.ledger.lost += 3

    async def scene(subject: Subject) -> None:
        subject.at_the_end = lose
        await subject.streams()
        stop()

    _, ledger = live(tmp_path, monkeypatch, scene, grace_seconds="0.2")

    assert ledger.lost == 3


def test_a_signal_while_it_waits_for_kafka_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(subject: Subject) -> None:
        subject.may_connect.clear()
        await subject.connecting.wait()
        stop()

    subject, _ = live(tmp_path, monkeypatch, scene)

    assert [event for event in subject.events() if event != "open files"] == ["starting", "stopping", "stopped"]
    assert subject.lines[-1]["balanced"] is True


def test_a_signal_while_the_spool_is_checked_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checking, checked = threading.Event(), threading.Event()

    def check(*_: object) -> None:
        checking.set()
        checked.wait()

    monkeypatch.setattr(assembly, "spool", check)

    async def scene(subject: Subject) -> None:
        while not checking.is_set():
            await asyncio.sleep(0.01)
        assert (await subject.ask("/livez")).status_code == 200
        stop()

    async def run(subject: Subject) -> Ledger:
        try:
            return await service.run(subject.settings())
        finally:
            checked.set()  # or asyncio.run waits for the thread

    subject, _ = live(tmp_path, monkeypatch, scene, run=run)

    assert "stopped" in subject.events()
    assert not subject.connecting.is_set()


def test_a_signal_while_claims_are_entered_leaves_what_was_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def enter(_: FileAssignments) -> FileAssignments:
        stop()
        await asyncio.sleep(LONG)
        raise AssertionError("it was not cancelled")

    monkeypatch.setattr(FileAssignments, "__aenter__", enter)

    async def scene(_: Subject) -> None:
        pass

    subject, _ = live(tmp_path, monkeypatch, scene)

    assert subject.left_kafka
    assert "started" not in subject.events()
    assert subject.events()[-1] == "stopped"


def test_a_start_that_is_refused_leaves_what_was_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(subject: Subject) -> None:
        (subject.folder / "list.yaml").write_text("nonsense: true\n")
        subjects.append(subject)

    subjects: list[Subject] = []
    with pytest.raises(StartRefused, match=r"list\.yaml"):
        live(tmp_path, monkeypatch, scene)

    assert subjects[0].left_kafka


@pytest.mark.parametrize("bug", [ValueError("a lane's"), OurBug("a lane's")], ids=["exception", "base"])
def test_a_lane_that_raises_ends_the_worker_in_order(
    bug: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(subject: Subject) -> None:
        async def lane() -> None:
            await subject.streams()
            raise bug

        subjects.append(subject)
        subject.lane = lane

    subjects: list[Subject] = []
    with pytest.raises(BaseExceptionGroup) as raised:
        live(tmp_path, monkeypatch, scene)

    assert raised.value.exceptions == (bug,)
    assert subjects[0].left_kafka
    assert subjects[0].released_before_kafka == len(STREAMERS)
    assert subjects[0].events()[-1] == "stopped"


@pytest.mark.parametrize("when", ["at work", "while it hands over"])
def test_a_bug_of_the_work_ends_the_worker_in_order(when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handing_over, bug = asyncio.Event(), ValueError("the work's")

    async def drain(_: FileAssignments, seconds: float) -> None:
        handing_over.set()
        await asyncio.sleep(LONG)

    async def report(_: Letterbox) -> None:
        await subjects[0].streams()
        if when == "while it hands over":
            stop()
            await handing_over.wait()
        raise bug

    monkeypatch.setattr(Letterbox, "report", report)
    monkeypatch.setattr(FileAssignments, "drain", drain)

    async def scene(subject: Subject) -> None:
        subjects.append(subject)

    subjects: list[Subject] = []
    with pytest.raises(ExceptionGroup) as raised:
        live(tmp_path, monkeypatch, scene)

    assert raised.value.exceptions == (bug,)
    assert subjects[0].left_kafka
    assert subjects[0].released_before_kafka == len(STREAMERS)


def test_claims_that_are_not_given_up_in_time_do_not_keep_kafka_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = asyncio.Event()
    leave_in_time = FileAssignments.__aexit__

    async def leave(assignments: FileAssignments, *_: object) -> None:
        entered.set()
        try:
            await asyncio.sleep(LONG)
        finally:
            await leave_in_time(assignments)

    monkeypatch.setattr(FileAssignments, "__aexit__", leave)
    monkeypatch.setattr(service, "CLOSE_SECONDS", 0.01)

    async def scene(subject: Subject) -> None:
        await subject.streams()
        stop()

    subject, _ = live(tmp_path, monkeypatch, scene)

    assert entered.is_set()
    assert subject.left_kafka
    assert any(event.startswith("claims not given up in time") for event in subject.events())


def test_too_few_descriptors_are_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (155, 155))

    async def scene(subject: Subject) -> None:
        subject.may_connect.clear()
        await subject.connecting.wait()
        stop()

    subject, _ = live(tmp_path, monkeypatch, scene, max_streams="3")

    [said] = [line for line in subject.lines if line["event"] == "open files"]
    assert said["log_level"] == "warning"
    assert said["problem"].startswith(
        "155 open files are allowed, and PRODUCER_MAX_STREAMS=3 takes 6, with little left"
    )
    assert said["advice"] == "raise the limit (ulimit -n) above 156, or lower PRODUCER_MAX_STREAMS"
