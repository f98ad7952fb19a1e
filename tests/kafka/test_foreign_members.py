"""Other programs in the workers' group, with our protocol's name and nothing of its sense: against a real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from producer.errors import StartRefused
from producer.local.kafka import Kafka
from tests.assignments.fleet import SLOTS, Fleet, KafkaBackend, eventually, play
from tests.kafka.test_assignments import all_once, source

TWENTY = tuple(f"s{number:02}" for number in range(20))
Lead = Callable[[list[str]], Mapping[str, Any]]


@asynccontextmanager
async def foreign(
    kafka: Kafka, backend: KafkaBackend, said: bytes | ConsumerProtocolMemberMetadata, lead: Lead = lambda _: {}
) -> AsyncIterator[AIOKafkaConsumer]:
    """A member that says this of itself and, should it lead, shares the slots out like that."""

    class Assignor(AbstractPartitionAssignor):  # type: ignore[misc]  # the base has no types
        name = f"weighted-sticky-v1:{backend.list_topic}:{backend.slots}"

        @classmethod
        def metadata(cls, topics: object) -> Any:
            return said

        @classmethod
        def assign(cls, cluster: object, members: Mapping[str, object]) -> Mapping[str, Any]:
            return lead(list(members))

        @classmethod
        def on_assignment(cls, assignment: object) -> None: ...

    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=backend.group,
        enable_auto_commit=False,
        partition_assignment_strategy=(Assignor,),
        session_timeout_ms=6_000,
        heartbeat_interval_ms=500,
    )
    await consumer.start()
    consumer.subscribe([backend.list_topic])
    polling = asyncio.create_task(consumer.getmany(timeout_ms=10**6))
    try:
        yield consumer
    finally:
        polling.cancel()
        await asyncio.wait({polling})
        await consumer.stop()


def test_members_that_are_none_of_ours_get_nothing_and_cost_nothing(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        said = [
            b"\xff",
            ConsumerProtocolMemberMetadata(0, [backend.list_topic], b"[" * 100_000),
            ConsumerProtocolMemberMetadata(0, [backend.list_topic], b'{"worker": "w", "owned": [1e400]}'),
        ]
        async with Fleet(backend) as fleet:
            await fleet.names(*TWENTY)
            one = await fleet.worker("one")  # leads
            two = await fleet.worker("two")
            await fleet.until(lambda: all_once(one, two, of=20))
            async with AsyncExitStack() as others:
                joined = [await others.enter_async_context(foreign(kafka, backend, each)) for each in said]
                await eventually(lambda: source(one).refused_members == 3)
                await eventually(lambda: source(two).generation == source(one).generation)
                await fleet.names(*TWENTY, "newcomer")
                await fleet.until(lambda: all_once(one, two, of=21))
                assert [member.assignment() for member in joined] == [frozenset()] * 3
            await eventually(lambda: source(one).refused_members == 0)
            assert all_once(one, two, of=21)
            assert source(one).rebuilds == source(two).rebuilds == 0
            assert all(worker.started.count(name) <= 1 for worker in (one, two) for name in worker.started)

    play(main)


@pytest.mark.parametrize("kind", ["garbage", "another topic"])
def test_a_group_that_another_program_leads_costs_no_stream(kafka: Kafka, kind: str) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        nothing, alone = ConsumerProtocolMemberAssignment(0, [], b""), asyncio.Event()
        # All slots, and some that are none.
        share: Any = ConsumerProtocolMemberAssignment(
            0, [(backend.list_topic, [*range(SLOTS), SLOTS, 2**31 - 1, -1])], b""
        )

        def lead(members: list[str]) -> Mapping[str, Any]:
            alone.set()
            own = leader._coordinator.member_id
            return {member: nothing if member == own else share for member in members}

        said = ConsumerProtocolMemberMetadata(0, [backend.list_topic], b"")
        async with Fleet(backend) as fleet:
            await fleet.names(*TWENTY)
            async with foreign(kafka, backend, said, lead) as leader:
                await alone.wait()
                one = await fleet.worker("one")
                await fleet.until(lambda: len(one.held) == 20)

                another = ConsumerProtocolMemberAssignment(0, [("another", [0, 1])], b"")
                share = b"\x00\x00\x7f\xff\xff\xff" if kind == "garbage" else another
                with pytest.raises(StartRefused, match="membership of the group"):
                    await fleet.worker("two")
                await eventually(lambda: source(one).rebuilds > 0)
                assert len(one.held) == 20
            await eventually(lambda: source(one).slots_owned == SLOTS and one.assignments.fence.current())
            assert [one.started.count(name) for name in one.held] == [1] * 20

    play(main)
