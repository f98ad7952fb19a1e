"""The topics that the service writes: which there are, and making those that are missing."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from producer.delivery import client
from producer.errors import StartRefused
from producer.events import schemas
from producer.settings import Settings

DEAD_LETTERS = "dlq"
SPREAD_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did."""

    created: tuple[str, ...]
    existing: tuple[str, ...]


def dead_letter_topic(prefix: str) -> str:
    """The topic of what could not be mapped or encoded."""
    return f"{prefix}.{DEAD_LETTERS}.v1"


def names(prefix: str) -> tuple[str, ...]:
    """Every topic that the service writes."""
    return (*(schema.topic(prefix) for schema in schemas.events().values()), dead_letter_topic(prefix))


async def apply(settings: Settings) -> Applied:
    """Create the topics that are missing; change and delete nothing. Raises StartRefused."""
    wanted = names(settings.topic_prefix)
    async with _Admin(settings) as admin:
        there = frozenset(await admin.list_topics())
        missing = [name for name in wanted if name not in there]
        new = [
            NewTopic(
                name=name,
                num_partitions=settings.topic_partitions,
                replication_factor=settings.topic_replication_factor,
            )
            for name in missing
        ]
        response = await admin.create_topics(new) if new else None
        for topic, code, *message in response.topic_errors if response else ():
            error = for_code(code)
            # Somebody else may have made it in between, which is as good.
            if code != 0 and error is not TopicAlreadyExistsError:
                raise StartRefused(f"Kafka did not create {topic}: {error.__name__} {message[0] if message else ''}")
        # Brokers learn of a new topic one after the other; whoever comes next shall find it.
        async with asyncio.timeout(SPREAD_SECONDS):
            while len(await _counts(admin, wanted)) < len(wanted):
                await asyncio.sleep(0.1)
    return Applied(created=tuple(missing), existing=tuple(name for name in wanted if name in there))


async def partition_counts(settings: Settings) -> dict[str, int]:
    """How many partitions each of our topics has. Raises StartRefused, naming every topic that is missing."""
    wanted = names(settings.topic_prefix)
    async with _Admin(settings) as admin:
        counts = await _counts(admin, wanted)
    missing = sorted(set(wanted) - counts.keys())
    if missing:
        raise StartRefused(f"topics are missing: {', '.join(missing)}; run `producer topics apply`")
    return counts


async def _counts(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, int]:
    """Partitions of those topics that there are."""
    described = cast("list[dict[str, list[object]]]", await admin.describe_topics(list(topics)))
    return {str(topic["topic"]): len(topic["partitions"]) for topic in described if topic["partitions"]}


class _Admin:
    """An admin client whose failures are ours."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = AIOKafkaAdminClient(**client.options(settings), request_timeout_ms=15_000)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        try:
            await self._client.start()
        except client.KAFKA_FAILURES as cause:
            await self._client.close()
            raise client.unreachable(self._settings, cause) from cause
        return self._client

    async def __aexit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        await self._client.close()
        if isinstance(error, client.KAFKA_FAILURES):
            raise client.unreachable(self._settings, error) from error
