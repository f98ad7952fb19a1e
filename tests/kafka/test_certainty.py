"""How long a worker is certain of its claims, where the group's own protocol is disturbed: against a real Kafka."""

import asyncio
import struct
from asyncio import StreamReader, StreamWriter
from io import BytesIO

import pytest
from aiokafka.protocol.coordination import FindCoordinatorResponse_v1

from producer.assignments.membership import Timing
from producer.local.kafka import Kafka
from tests.assignments.fleet import Fleet, KafkaBackend, play
from tests.kafka.proxy import Ask, Fault, Proxy

FIND_COORDINATOR, JOIN_GROUP = 10, 11
NAMES = tuple(f"s{number:02}" for number in range(20))


class Road(Proxy):
    """To the group's coordinator too; a request to join can be lost on it."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.lost = Fault(0)

    def lose_joins(self) -> Fault:
        """Let no request to join arrive; its connection stays, and says nothing any more."""
        self.lost = Fault(None)
        return self.lost

    async def _converse(self, reader: StreamReader, writer: StreamWriter, ask: Ask) -> None:
        async def asked(frame: bytes) -> bytes:
            [key] = struct.unpack_from(">h", frame)
            if key == JOIN_GROUP and self.lost.strike():
                await asyncio.get_running_loop().create_future()
            reply = await ask(frame)
            if key == FIND_COORDINATOR:
                answer = FindCoordinatorResponse_v1.decode(BytesIO(reply[4:]))
                answer.host, answer.port = "127.0.0.1", self._port
                reply = reply[:4] + answer.encode()
            return reply

        await super()._converse(reader, writer, asked)


@pytest.mark.parametrize("rebalance", [10.0, 2.5], ids=["given up after its session", "given up by a rebalance"])
def test_who_has_lost_its_streamers_unheard_is_not_certain_of_them(kafka: Kafka, rebalance: float) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka, timing=Timing(balance=60.0, session=6.0, rebalance=rebalance))
        async with Road(kafka.bootstrap_servers) as road, Fleet(backend) as fleet:
            await fleet.names(*NAMES)
            one = await fleet.worker("one", assignments=backend.open("one", bootstrap=road.address))
            await fleet.until(lambda: len(one.held) == 20)
            before = one.assignments.fence.current()

            lost = road.lose_joins()
            two = await fleet.worker("two")  # which begins a rebalance, and waits in it for the first
            await fleet.until(lambda: len(two.held) == 20)

            assert before is True
            assert lost.fired == 1
            assert one.assignments.fence.current() is False
            assert len(one.held) == 20, "nobody told it"

    play(main)
