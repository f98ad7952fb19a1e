"""What is known to go wrong with aiokafka's producer, met twice: by that producer alone, and by our publisher.

The plain one must fall into each hazard, or the test shows nothing. Ours must bring every record to the topic, in order
by key, losing none. A broker's misbehaviour is the proxy's; records are read back past it, by librdkafka.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors

from producer import backoff
from producer.delivery import client
from producer.errors import StartRefused
from producer.events.encoding import Record
from producer.local.kafka import Kafka
from tests.conftest import Background
from tests.kafka.doors import (
    TIMEOUT_SECONDS,
    Account,
    Door,
    Kind,
    Ours,
    Plain,
    chosen,
    key_of,
    make_topics,
    numbered,
    play,
    stored,
    until,
)
from tests.kafka.proxy import ERRORS, Loss, Proxy
from tests.kafka.reading import read_topics

# aiokafka does not close the connection over which a client that is cancelled was asking for its first metadata.
pytestmark = pytest.mark.filterwarnings("ignore:.*AIOKafkaConnection:pytest.PytestUnraisableExceptionWarning")
prefixes = (f"hazard{number}" for number in count())
both = pytest.mark.parametrize("kind", ["plain", "ours"])

LEFT, RIGHT = key_of(0, of=2), key_of(1, of=2)
"""Keys of the first and of the second partition of a topic with two."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a hazard is met: a topic of two partitions, one of one, one for dead letters, and a door to them."""

    proxy: Proxy
    spare: Proxy
    """Another address of the broker, which bootstrap servers name too; it is down."""
    door: Door
    topic: str
    other: str


@dataclass(frozen=True, slots=True)
class Outcome:
    account: Account
    stored: Mapping[bytes, list[int]]
    """What the topic of two partitions holds in the end: numbers by key."""
    stored_other: Mapping[bytes, list[int]]
    dead: list[bytes | None]
    """Keys of the dead letters."""
    clients: int
    complaints: list[str]


Act = Callable[[Scene], Awaitable[None]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.01)


def meet(
    kafka: Kafka,
    kind: Kind,
    act: Act,
    *,
    grace_seconds: float = 20.0,
    configs_of_other: Mapping[str, str] | None = None,
) -> Outcome:
    """Play a scene and read back what it left."""
    prefix = next(prefixes)
    topic, other, dead = f"{prefix}.comment.v1", f"{prefix}.like.v1", f"{prefix}.dlq.v1"
    partitions = {topic: 2, other: 1, dead: 1}
    doors: list[Door] = []

    async def main() -> None:
        await make_topics(kafka.bootstrap_servers, {topic: 2, dead: 1})
        await make_topics(kafka.bootstrap_servers, {other: 1}, configs=configs_of_other)
        async with Proxy(kafka.bootstrap_servers) as proxy, Proxy(kafka.bootstrap_servers) as spare:
            await spare.go_down()
            settings = chosen(f"{proxy.address},{spare.address}")
            door = (
                Plain(settings, grace_seconds=grace_seconds)
                if kind == "plain"
                else Ours(settings, partitions=partitions, dead_letter_topic=dead, grace_seconds=grace_seconds)
            )
            doors.append(door)
            async with door:
                await act(Scene(proxy, spare, door, topic, other))

    complaints = play(main)
    [door] = doors
    letters = read_topics(kafka.bootstrap_servers, [dead])[dead]
    return Outcome(
        door.account,
        stored(kafka.bootstrap_servers, topic),
        stored(kafka.bootstrap_servers, other),
        [letter.key() for letter in letters],
        len(door.producers),
        complaints,
    )


def once(numbers: list[int]) -> list[int]:
    """The first of each: at least once means that a batch may come again, and then in order again."""
    return list(dict.fromkeys(numbers))


def assert_nothing_lost(outcome: Outcome, *, records: int) -> None:
    assert (outcome.account.acknowledged, outcome.account.lost) == (records, 0)
    assert outcome.complaints == []


@both
def test_a_partition_goes_on_after_an_error_that_is_not_retriable(kafka: Kafka, kind: Kind) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10)))
        await scene.door.settled()
        fault = scene.proxy.refuse(scene.topic, 0, "CORRUPT_MESSAGE", times=1)
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10, 20)))
        await fault.met()
        await scene.door.settled()
        await scene.door.publish(*numbered(scene.topic, LEFT, range(20, 30)))
        await scene.door.settled()
        assert fault.fired == 1

    outcome = meet(kafka, kind, act)

    if kind == "plain":
        assert outcome.stored == {LEFT: list(range(10))}
        assert {type(error) for error in outcome.account.failed[10:]} == {kafka_errors.OutOfOrderSequenceNumber}
        return
    assert once(outcome.stored[LEFT]) == list(range(30))
    assert_nothing_lost(outcome, records=30)


@both
def test_a_partition_goes_on_after_it_had_no_leader_for_longer_than_the_request_timeout(
    kafka: Kafka, kind: Kind
) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10)))
        await scene.door.settled()
        gap = scene.proxy.without_leader(scene.topic, 0)
        moved = scene.proxy.refuse(scene.topic, 0, "NOT_LEADER_OR_FOLLOWER", times=1)
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10, 20)))
        await moved.met()
        await asyncio.sleep(1.5 * TIMEOUT_SECONDS)
        await gap.met()
        gap.lift()
        await scene.door.settled()
        await scene.door.publish(*numbered(scene.topic, LEFT, range(20, 30)))
        await scene.door.settled()

    outcome = meet(kafka, kind, act)

    if kind == "plain":
        assert outcome.stored == {LEFT: list(range(10))}
        assert [type(error) for error in outcome.account.failed] == [
            *[kafka_errors.LeaderNotAvailableError] * 10,
            *[kafka_errors.OutOfOrderSequenceNumber] * 10,
        ]
        return
    assert once(outcome.stored[LEFT]) == list(range(30))
    assert_nothing_lost(outcome, records=30)


@both
def test_a_stop_while_brokers_are_down_ends_and_what_it_gives_up_is_counted(kafka: Kafka, kind: Kind) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10)))
        await scene.door.settled()
        await scene.proxy.go_down()
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10, 20)))
        await asyncio.sleep(2 * TIMEOUT_SECONDS)

    outcome = meet(kafka, kind, act, grace_seconds=0.5)

    assert outcome.stored == {LEFT: list(range(10))}
    if kind == "plain":
        assert outcome.account == Account(acknowledged=10, pending=10, stop_hung=True)
        return
    assert outcome.account == Account(acknowledged=10, lost=10)
    assert outcome.complaints == []


@both
def test_a_sender_that_was_cancelled_is_noticed(kafka: Kafka, kind: Kind) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10)))
        await scene.door.settled()
        scene.door.producers[0]._sender.sender_task.cancel()
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10, 20)))
        await scene.door.settled()

    outcome = meet(kafka, kind, act)

    if kind == "plain":
        assert outcome.stored == {LEFT: list(range(10))}
        assert outcome.account == Account(acknowledged=10, pending=10)
        return
    assert outcome.stored == {LEFT: list(range(20))}
    assert_nothing_lost(outcome, records=20)


@both
def test_a_sender_that_died_of_something_unexpected_is_replaced(kafka: Kafka, kind: Kind) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10)))
        await scene.door.settled()
        # aiokafka answers a version that it does not speak with NotImplementedError, which its sender does not expect.
        fault = scene.proxy.outdate(times=1)
        await scene.proxy.disconnect()
        await fault.met()
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10, 20)))
        await scene.door.settled()
        await scene.door.publish(*numbered(scene.topic, LEFT, range(20, 30)))
        await scene.door.settled()

    outcome = meet(kafka, kind, act)

    if kind == "plain":
        assert outcome.stored == {LEFT: list(range(10))}
        assert {str(error) for error in outcome.account.failed} == {
            "KafkaError: Unexpected error during batch delivery"
        }
        assert len(outcome.account.failed) == 20
        return
    assert once(outcome.stored[LEFT]) == list(range(30))
    # aiokafka's own callback fails on batches that have ended: nothing of ours could catch that.
    outcome.complaints[:] = [said for said in outcome.complaints if "Sender._fail_all" not in said]
    assert_nothing_lost(outcome, records=30)


@both
def test_a_client_that_did_not_start_is_not_used(kafka: Kafka, kind: Kind) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10)))
        await scene.door.settled()
        unstarted = scene.proxy.refuse_producer_id("CLUSTER_AUTHORIZATION_FAILED", times=2)
        fault = scene.proxy.refuse(scene.topic, 0, "CORRUPT_MESSAGE", times=1)
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10, 20)))
        await fault.met()
        if isinstance(scene.door, Plain):
            await scene.door.settled()
            await replaced_without_looking(scene)
        await unstarted.met(2)
        await scene.door.settled()

    async def replaced_without_looking(scene: Scene) -> None:
        for _ in range(2):
            producer = AIOKafkaProducer(**client.options(chosen(scene.proxy.address)), enable_idempotence=True)
            with pytest.raises(kafka_errors.ClusterAuthorizationFailedError):
                await producer.start()
            accepted = [
                await producer.send(record.topic, record.value, record.key)
                for record in numbered(scene.topic, LEFT, range(10, 20))
            ]
            done, pending = await asyncio.wait(accepted, timeout=TIMEOUT_SECONDS)
            assert (len(done), len(pending)) == (0, 10)
            await producer.stop()

    outcome = meet(kafka, kind, act)

    if kind == "plain":
        assert outcome.stored == {LEFT: list(range(10))}
        return
    assert outcome.clients == 2
    assert outcome.stored == {LEFT: list(range(20))}
    assert_nothing_lost(outcome, records=20)


@both
def test_brokers_that_refuse_a_producer_id_at_the_start_refuse_the_start(kafka: Kafka, kind: Kind) -> None:
    async def main() -> None:
        async with Proxy(kafka.bootstrap_servers) as proxy:
            fault = proxy.refuse_producer_id("CLUSTER_AUTHORIZATION_FAILED", times=1)
            settings = chosen(proxy.address)
            if kind == "plain":
                producer = AIOKafkaProducer(**client.options(settings), enable_idempotence=True)
                with pytest.raises(kafka_errors.ClusterAuthorizationFailedError):
                    await producer.start()
                future = await producer.send(topic, b"0 ", LEFT)
                await asyncio.wait([future], timeout=TIMEOUT_SECONDS)
                assert not future.done()
                await producer.stop()
            else:
                with pytest.raises(StartRefused, match="ClusterAuthorizationFailed"):
                    await Ours(settings, partitions={topic: 2}, dead_letter_topic=topic, grace_seconds=1.0).__aenter__()
            assert fault.fired == 1

    topic = f"{next(prefixes)}.comment.v1"
    asyncio.run(make_topics(kafka.bootstrap_servers, {topic: 2}))

    complaints = play(main)

    assert complaints == []
    assert stored(kafka.bootstrap_servers, topic) == {}


@both
@pytest.mark.parametrize("how", ["cut", "swallowed", "UNKNOWN_SERVER_ERROR", "NOT_ENOUGH_REPLICAS_AFTER_APPEND"])
def test_an_acknowledgement_that_was_lost_costs_duplicates_at_most(kafka: Kafka, kind: Kind, how: str) -> None:
    losses: dict[str, Loss] = {"cut": "cut", "swallowed": "swallowed"}

    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10)))
        await scene.door.settled()
        if how in losses:
            fault = scene.proxy.lose(scene.topic, 0, losses[how], times=1)
        else:
            fault = scene.proxy.deny(scene.topic, 0, how, times=1)
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10, 20)))
        await fault.met()
        await scene.door.settled()
        await scene.door.publish(*numbered(scene.topic, LEFT, range(20, 30)))
        await scene.door.settled()
        assert fault.fired == 1

    outcome = meet(kafka, kind, act)

    if kind == "plain":
        # Sequence numbers do what they are for; but an error that is not retriable is told, and the record is there.
        assert outcome.stored == {LEFT: list(range(30))}
        told = [kafka_errors.UnknownError] * 10 if how == "UNKNOWN_SERVER_ERROR" else []
        assert [type(error) for error in outcome.account.failed] == told
        return
    assert once(outcome.stored[LEFT]) == list(range(30))
    assert len(outcome.stored[LEFT]) <= 40
    assert_nothing_lost(outcome, records=30)


@both
def test_a_record_that_brokers_find_too_large_costs_its_neighbours_nothing(kafka: Kafka, kind: Kind) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.other, b"small", range(10)))
        await scene.door.settled()
        await scene.door.publish(
            *numbered(scene.other, b"small", range(10, 20)),
            Record(scene.other, b"large", random.Random(1).randbytes(30_000)),
            *numbered(scene.other, b"small", range(20, 30)),
        )
        await scene.door.settled()
        await scene.door.publish(*numbered(scene.other, b"small", range(30, 40)))
        await scene.door.settled()

    outcome = meet(kafka, kind, act, grace_seconds=1.0, configs_of_other={"max.message.bytes": "20000"})

    if kind == "plain":
        assert outcome.stored_other == {b"small": list(range(10))}
        assert [type(error) for error in outcome.account.failed] == [
            *[kafka_errors.MessageSizeTooLargeError] * 21,
            *[kafka_errors.OutOfOrderSequenceNumber] * 10,
        ]
        return
    assert once(outcome.stored_other[b"small"]) == list(range(40))
    assert outcome.dead == [b"large"]
    assert_nothing_lost(outcome, records=40)


@both
def test_a_partition_that_stands_still_keeps_its_records_and_does_not_keep_others_waiting(
    kafka: Kafka, kind: Kind
) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(5)))
        await scene.door.settled()
        fault = scene.proxy.refuse(scene.topic, 0, "NOT_LEADER_OR_FOLLOWER")
        # Two batches full: what comes then finds no room in aiokafka while the first does not get through.
        handing_over = asyncio.create_task(scene.door.publish(*numbered(scene.topic, LEFT, range(5, 19), size=20_000)))
        await fault.met()
        await handing_over
        await scene.door.publish(*numbered(scene.topic, RIGHT, range(10)))
        if isinstance(scene.door, Ours):
            ledger = scene.door.ledger
            await until(lambda: ledger.acknowledged == 15)
        fault.lift()
        await scene.door.settled()

    outcome = meet(kafka, kind, act)

    assert outcome.stored[RIGHT] == list(range(10))
    if kind == "plain":
        assert outcome.stored[LEFT] == list(range(17))
        assert [type(error) for error in outcome.account.failed] == [kafka_errors.KafkaTimeoutError] * 2
        return
    assert once(outcome.stored[LEFT]) == list(range(19))
    assert_nothing_lost(outcome, records=29)


@pytest.fixture(scope="module")
def mortal(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker to kill: the one of the whole run has others to serve."""
    kafka = Kafka(tmp_path_factory.mktemp("mortal"))
    background.run(kafka.__aenter__())
    yield kafka
    background.run(kafka.__aexit__(None, None, None))


@both
def test_a_broker_that_is_killed_and_comes_back_costs_no_record(
    background: Background, mortal: Kafka, kind: Kind
) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(5)))
        await scene.door.settled()
        await asyncio.to_thread(background.run, mortal.kill(1))
        await scene.door.publish(*numbered(scene.topic, LEFT, range(5, 19), size=20_000))
        await asyncio.to_thread(background.run, mortal.start(1))
        await scene.door.settled()

    outcome = meet(mortal, kind, act)

    if kind == "plain":
        assert outcome.stored[LEFT] == list(range(17))
        assert [type(error) for error in outcome.account.failed] == [kafka_errors.KafkaTimeoutError] * 2
        return
    assert once(outcome.stored[LEFT]) == list(range(19))
    assert_nothing_lost(outcome, records=19)


@both
def test_brokers_that_moved_to_other_addresses_are_found_again(kafka: Kafka, kind: Kind) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10)))
        await scene.door.settled()
        await scene.proxy.go_down()
        await scene.spare.come_up()
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10, 20)))
        await scene.door.settled()

    outcome = meet(kafka, kind, act, grace_seconds=2.0)

    if kind == "plain":
        assert outcome.stored == {LEFT: list(range(10))}
        assert outcome.account == Account(acknowledged=10, pending=10, stop_hung=True)
        return
    assert outcome.stored == {LEFT: list(range(20))}
    assert_nothing_lost(outcome, records=20)


@both
def test_a_client_that_was_misdirected_when_it_connected_does_not_keep_trying_for_ever(
    kafka: Kafka, kind: Kind
) -> None:
    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10)))
        await scene.door.settled()
        astray = scene.proxy.misdirect(times=1)
        if isinstance(scene.door, Plain):
            starting = asyncio.create_task(client.connect(chosen(scene.proxy.address)))
            await astray.met()
            done, _ = await asyncio.wait({starting}, timeout=3 * TIMEOUT_SECONDS)
            assert done == set()
            starting.cancel()
            await asyncio.wait({starting})
            return
        scene.proxy.refuse(scene.topic, 0, "CORRUPT_MESSAGE", times=1)
        await scene.door.publish(*numbered(scene.topic, LEFT, range(10, 20)))
        await astray.met()
        await scene.door.settled()

    outcome = meet(kafka, kind, act, grace_seconds=1.0)

    if kind == "plain":
        return
    assert outcome.stored == {LEFT: list(range(20))}
    assert_nothing_lost(outcome, records=20)


def test_each_error_that_a_broker_may_give_for_a_batch_costs_nothing(kafka: Kafka) -> None:
    """One after the other, for one of two partitions; with `-s` a table of what each took."""
    rows: list[str] = []

    async def act(scene: Scene) -> None:
        await scene.door.publish(*numbered(scene.topic, LEFT, range(5)), *numbered(scene.topic, RIGHT, range(5)))
        await scene.door.settled()
        for turn, error in enumerate(ERRORS, start=1):
            numbers, clients = range(5 * turn, 5 * turn + 5), len(scene.door.producers)
            # A broker that speaks of a duplicate has the batch, and aiokafka takes that for an acknowledgement.
            strike = scene.proxy.deny if error == "DUPLICATE_SEQUENCE_NUMBER" else scene.proxy.refuse
            fault = strike(scene.topic, 0, error, times=1)
            await scene.door.publish(*numbered(scene.topic, LEFT, numbers), *numbered(scene.topic, RIGHT, numbers))
            await fault.met()
            await scene.door.settled()
            assert fault.fired == 1
            replaced = len(scene.door.producers) - clients
            rows.append(f"{error:<40} {'through a new client' if replaced else 'through the same client'}")

    outcome = meet(kafka, "ours", act)

    print("\n" + "\n".join(rows))
    sent = list(range(5 * len(ERRORS) + 5))
    assert once(outcome.stored[LEFT]) == once(outcome.stored[RIGHT]) == sent
    assert outcome.dead == []
    assert_nothing_lost(outcome, records=2 * len(sent))
