"""Whether another worker of this name is in the group: what one says of a streamer would be taken for the other's."""

import asyncio
from collections.abc import Callable

from aiokafka.admin import AIOKafkaAdminClient

from producer import logs
from producer.assignments.clients import KAFKA_FAILURES, Options, asked, within
from producer.errors import StartRefused

LOOK_SECONDS = 0.5
CLOSE_SECONDS = 2.0
ANSWER_SECONDS = 10.0


async def refuse_twins(
    options: Options, *, group: str, worker: str, ours: Callable[[], str | None], patience: float
) -> None:
    """Raise StartRefused where another member of the group has this name, and still has it after `patience` seconds.

    So long a member that is gone is remembered by the group: it may have been this worker, a moment or a life ago.
    `ours` tells which member we are. Where Kafka does not tell, nothing is known, and the start goes on.
    """
    try:
        async with asyncio.timeout(patience + ANSWER_SECONDS):
            hosts = await _twins(options, group, worker, ours)
            loop = asyncio.get_running_loop()
            until = loop.time() + patience
            while hosts and loop.time() < until:
                await asyncio.sleep(LOOK_SECONDS)
                hosts = await _twins(options, group, worker, ours)
    except (TimeoutError, *KAFKA_FAILURES) as cause:
        logs.get().warning("not told whether another worker has this name", problem=str(cause) or type(cause).__name__)
        return
    if hosts:
        raise StartRefused(
            f"another worker is called {worker} ({', '.join(hosts)}): workers of one list need names of their own "
            "(PRODUCER_WORKER_NAME; by default host name and process id)"
        )


async def _twins(options: Options, group: str, worker: str, ours: Callable[[], str | None]) -> list[str]:
    """Where the members of this name are that we are not."""
    admin = AIOKafkaAdminClient(**options())
    try:
        await asked(admin.start())
        [answer] = await asked(admin.describe_consumer_groups([group]))
    finally:
        await within(CLOSE_SECONDS, admin.close())
    us = ours()
    members = [member for described in answer.groups for member in described[5]]
    return sorted(member[2].lstrip("/") for member in members if member[1] == worker and member[0] != us)
