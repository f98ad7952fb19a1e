"""What brokers learn one after the other: it is asked of all of them, until they say the same.

A broker answers for topics and their configuration out of its own copy of the cluster's metadata, so for some moments
after a change one of them may not have heard of what another describes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiokafka import errors as kafka_errors
from aiokafka.client import AIOKafkaClient

SPREAD_SECONDS = 15.0
"""How long brokers may take to learn of a change."""
STEP_SECONDS = 0.1
AWAY = (
    kafka_errors.CorrelationIdError,
    kafka_errors.KafkaConnectionError,
    kafka_errors.NodeNotReadyError,
    kafka_errors.RequestTimedOutError,
    kafka_errors.StaleMetadata,
)
"""What a broker that cannot be reached just now ends in; the others know as much."""

Said = TypeVar("Said")


class NotSpread(kafka_errors.KafkaError):  # type: ignore[misc]  # the base has no types
    """The brokers have not come to say the same."""

    def __str__(self) -> str:
        return str(self.args[0])  # the base puts the type's name before it


async def agreed(
    client: AIOKafkaClient, ask: Callable[[int], Awaitable[Said]], *, alike: Callable[[Said], object]
) -> Said:
    """Ask every broker, by its number, until what `alike` takes of their answers is the same; return one of them.

    A broker that cannot be reached is left out, where another can. Raises NotSpread where one goes on saying something
    else, or that it does not know what the others do; and whatever else asking raises.
    """
    clock = asyncio.get_running_loop().time
    give_up = clock() + SPREAD_SECONDS
    while True:
        answers: list[Said] = []
        problem: BaseException | None = None
        away: BaseException | None = None
        asked = (ask(broker.nodeId) for broker in client.cluster.brokers())
        for said in await asyncio.gather(*asked, return_exceptions=True):
            match said:
                case _ if isinstance(said, AWAY):
                    away = said
                case kafka_errors.KafkaError(retriable=True):
                    problem = said
                case BaseException():
                    raise said
                case _:
                    answers.append(said)
        if problem is None and not answers:
            raise away or kafka_errors.NoBrokersAvailable()
        if problem is None and all(alike(said) == alike(answers[0]) for said in answers):
            return answers[0]
        if clock() > give_up:
            detail = f" ({problem})" if problem is not None else ""
            raise NotSpread(
                f"its brokers do not agree on topics, for {SPREAD_SECONDS:g} s now{detail}: one may not hear of changes"
            )
        await asyncio.sleep(STEP_SECONDS)


async def patiently(client: AIOKafkaClient, change: Callable[[], Awaitable[Said]]) -> Said:
    """Make a change, again while a broker answers that it cannot yet. Raises what the last answer raised."""
    clock = asyncio.get_running_loop().time
    give_up = clock() + SPREAD_SECONDS
    while True:
        try:
            return await change()
        except kafka_errors.KafkaError as error:
            if not error.retriable or clock() > give_up:
                raise
        await asyncio.sleep(STEP_SECONDS)
        await client.force_metadata_update()  # the controller may be another by now


def controller(client: AIOKafkaClient) -> int:
    """The number of the broker that takes changes. Raises a retriable error while there is none."""
    found: Any = client.cluster.controller
    if found is None:
        raise kafka_errors.NotControllerError
    return int(found.nodeId)
