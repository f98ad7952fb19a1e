"""What is Kafka's or a stranger's leaves the claims alone, what is a bug of ours ends them: against a real Kafka."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from producer.assignments import assignor, clients, follower
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.holding import Holding
from producer.assignments.lists import difference
from producer.assignments.reports import Reports
from producer.assignments.table import Status
from producer.errors import StartRefused
from producer.local.kafka import Kafka
from tests.assignments.fleet import STEP_SECONDS, Fleet, KafkaBackend, eventually, play
from tests.kafka.proxy import Fault, Proxy
from tests.kafka.test_assignments import source

UNKNOWN_TOPIC = 3


class Bug(ValueError):
    """Planted. A ValueError is what a bad record would be, too."""


def buggy(*_: object, **__: object) -> Any:
    raise Bug


@pytest.mark.parametrize(
    ("owner", "name"),
    [(assignor, "assign"), (assignor, "encode_member"), (Holding, "assigned")],
    ids=["leading", "joining", "taking an assignment in"],
)
def test_a_bug_at_the_start_is_raised_and_not_waited_for(
    kafka: Kafka, owner: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        await backend.prepare()
        monkeypatch.setattr(owner, name, buggy)
        with pytest.raises(Bug):
            async with backend.open("one"):
                pass

    play(main)


async def said_again_and_again(backend: KafkaBackend) -> None:
    """Write to the status topic: what comes before it is followed is no news."""
    while True:
        await backend.put({"aa": None}, topic=backend.status_topic)
        await asyncio.sleep(0.2)


def test_a_bug_in_what_is_made_of_a_status_ends_the_claims(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        await backend.prepare()
        await backend.write({"aa": {}})
        monkeypatch.setattr(Holding, "heard", buggy)
        async with backend.open("one") as one:
            changes = one.changes()
            while await anext(changes) != {"aa"}:
                pass
            saying = asyncio.create_task(said_again_and_again(backend))
            with pytest.raises(Bug):
                while True:  # what was under way may be told first
                    await anext(changes)
            saying.cancel()

    play(main)


def test_a_bug_while_it_leads_ends_the_claims(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            async with backend.open("one") as one:
                changes = one.changes()
                await anext(changes)
                monkeypatch.setattr(assignor, "assign", buggy)
                joining = asyncio.create_task(fleet.worker("two"))
                with pytest.raises(Bug):
                    await anext(changes)
            await asyncio.wait({joining})
            joining.exception()

    play(main)


class Lagging(Proxy):
    """A broker that has not heard of any topic yet, for so many questions."""

    def __init__(self, upstream: str, *, times: int) -> None:
        super().__init__(upstream)
        self.fault = Fault(times)

    def _edit(self, answer: Any) -> None:
        super()._edit(answer)
        if answer.topics and self.fault.strike():
            answer.topics = [(UNKNOWN_TOPIC, name, internal, []) for _, name, internal, _ in answer.topics]


async def added(backend: KafkaBackend, address: str) -> None:
    await backend.catalogue(address).edit(difference({}, [Wanted(Streamer("bb"))]))


async def listed(backend: KafkaBackend, address: str) -> None:
    assert (await backend.catalogue(address).read()).wanted.keys() == {"aa"}


async def held(backend: KafkaBackend, address: str) -> None:
    async with backend.open("one", bootstrap=address) as one:
        changes = one.changes()
        while await anext(changes) != {"aa"}:
            pass


@pytest.mark.parametrize("act", [added, listed, held])
def test_topics_that_a_broker_has_not_heard_of_yet_are_waited_for(
    kafka: Kafka, act: Callable[[KafkaBackend, str], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (clients, follower):
        monkeypatch.setattr(each, "SPREAD_SECONDS", 600.0)  # a busy machine takes long to answer four questions

    async def main() -> None:
        backend = KafkaBackend(kafka)
        await backend.prepare()
        await backend.write({"aa": {}})
        async with Lagging(kafka.bootstrap_servers, times=4) as broker:
            await act(backend, broker.address)
            assert broker.fault.fired == 4

    play(main)


class Unspeakable(str):
    """A header's name that is not UTF-8."""

    def encode(self, *_: object) -> bytes:
        return b"\xff"


def test_a_record_that_the_client_itself_cannot_read_ends_no_worker(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.names("aa", "bb")
            one = await fleet.worker("one")
            await fleet.until(lambda: one.held == {"aa", "bb"})
            async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
                batch = producer.create_batch()
                batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 1_000)
                batch.append(timestamp=None, key=b"cc", value=b"{}", headers=[(Unspeakable("x"), b"")])
                await (await producer.send_batch(batch, backend.list_topic, partition=0))
            await eventually(lambda: source(one).rebuilds > 0)
            assert one.held == {"aa", "bb"}
            assert one.assignments.fence.current() is True

    play(main)


def test_a_file_of_secrets_that_is_gone_for_a_while_ends_no_worker(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        asked = 0

        def options() -> dict[str, Any]:
            nonlocal asked
            asked += 1
            if asked < 3:
                raise StartRefused("a file that the Kafka settings name cannot be used")
            return {"bootstrap_servers": kafka.bootstrap_servers}

        await backend.prepare()
        reports = Reports(options, topic=backend.status_topic)
        writing = asyncio.create_task(reports.run())
        reports.say(Streamer("aa"), Status("w", 1, "connected", 5), generation=2)
        await reports.flush(STEP_SECONDS)
        said = await backend.said(lambda said: "aa" in said)
        writing.cancel()
        await asyncio.wait({writing})

        assert asked == 3
        assert said["aa"]["generation"] == 2

    play(main)
