"""The cluster's topics: looking at them, and making them what they should be."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from producer.delivery import client, topic_plan
from producer.delivery.topic_plan import AddPartitions, Change, Create, Found, SetConfigs, Topic
from producer.errors import StartRefused
from producer.settings import Settings

SPREAD_SECONDS = 15.0
NAMED = 5
"""How many missing topics are named: a fresh cluster lacks all."""
SET_ON_TOPIC = 1
"""Kafka's config source DYNAMIC_TOPIC_CONFIG: set on the topic itself."""


async def plan(settings: Settings) -> list[Change]:
    """Find what would have to change. Raises StartRefused."""
    async with _Admin(settings) as admin:
        return await _plan(admin, settings)


async def apply(settings: Settings) -> list[Change]:
    """Change it, and wait until that is seen; return what was changed. Raises StartRefused."""
    async with _Admin(settings) as admin:
        changes = await _plan(admin, settings)
        await _create(admin, [change.topic for change in changes if isinstance(change, Create)])
        for change in changes:
            await _do(admin, change)
        await _seen(admin, settings)
    return changes


async def partition_counts(settings: Settings) -> dict[str, int]:
    """How many partitions each of our topics has. Raises StartRefused, naming what is missing or not ours to use."""
    wanted = topic_plan.names(settings.topic_prefix)
    async with _Admin(settings) as admin:
        counts = await _counts(admin, wanted)
    missing = sorted(set(wanted) - counts.keys())
    if missing:
        raise StartRefused(f"topics are missing: {_listed(missing)}; run `producer topics apply`")
    return counts


async def configs_in_force(settings: Settings, topics: Sequence[str]) -> dict[str, dict[str, str]]:
    """The whole configuration of each of these topics, wherever it was set. Raises StartRefused."""
    async with _Admin(settings) as admin:
        return await _configs(admin, topics, only_set=False)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


async def _seen(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    """Wait until nothing is left to change: brokers learn of a change one after the other."""
    give_up = time.monotonic() + SPREAD_SECONDS
    while left := await _plan(admin, settings):
        if time.monotonic() > give_up:
            raise StartRefused("\n".join(f"Kafka said yes and did not {change}" for change in left))
        await asyncio.sleep(0.1)


async def _plan(admin: AIOKafkaAdminClient, settings: Settings) -> list[Change]:
    shape = topic_plan.Shape(
        partitions=settings.topic_partitions,
        replication_factor=settings.topic_replication_factor,
        event_retention_days=settings.topic_retention_days,
        dead_letter_retention_days=settings.dead_letter_retention_days,
        slots=settings.assignment_slots if settings.assignments_file is None else None,
    )
    topics = topic_plan.wanted(settings.topic_prefix, shape)
    counts = await _counts(admin, [topic.name for topic in topics])
    configs = await _configs(admin, list(counts))
    return topic_plan.plan(topics, {name: Found(count, configs[name]) for name, count in counts.items()})


async def _counts(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, int]:
    """Partitions of those topics that there are. Raises StartRefused where Kafka does not let us look."""
    described: list[dict[str, Any]] = await admin.describe_topics(list(topics))
    refused = sorted(
        topic["topic"] for topic in described if for_code(topic["error_code"]) is TopicAuthorizationFailedError
    )
    if refused:
        raise StartRefused(f"topics may not be used: {_listed(refused)}; grant what `producer topics acls` lists")
    return {topic["topic"]: len(topic["partitions"]) for topic in described if topic["partitions"]}


async def _configs(
    admin: AIOKafkaAdminClient, topics: Sequence[str], *, only_set: bool = True
) -> dict[str, dict[str, str]]:
    """What is set on each topic itself; or all that holds for it."""
    if not topics:
        return {}
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in topics])
    found: dict[str, dict[str, str]] = {name: {} for name in topics}
    for response in responses:
        for code, message, _, name, entries in response.resources:
            if code:
                raise for_code(code)(message)
            found[name] = {
                key: value for key, value, _, source, *_ in entries if source == SET_ON_TOPIC or not only_set
            }
    return found


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
    """Create topics by one request: a cluster needs as long for fifty as for one."""
    if not topics:
        return
    new = [
        NewTopic(topic.name, topic.partitions, topic.replication_factor, topic_configs=dict(topic.configs))
        for topic in topics
    ]
    try:
        _refuse_codes((await admin.create_topics(new)).topic_errors)
    except KafkaError as cause:
        raise StartRefused(f"Kafka refused to create topics: {type(cause).__name__} {cause}") from cause


async def _do(admin: AIOKafkaAdminClient, change: Change) -> None:
    try:
        match change:
            case Create():
                pass  # all at once, before
            case AddPartitions(name, _, after):
                await admin.create_partitions({name: NewPartitions(after)})
            case SetConfigs(name, changed, before):
                # This request replaces all that is set on the topic, so what others set goes along.
                whole = {**before, **changed}
                for response in await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, whole)]):
                    _refuse_codes((name, code, message) for code, message, *_ in response.resources)
    except KafkaError as cause:
        raise StartRefused(f"Kafka refused to {change}: {type(cause).__name__} {cause}") from cause


def _refuse_codes(answers: Iterable[tuple[Any, ...]]) -> None:
    for name, code, *message in answers:
        error = for_code(code)
        # Somebody else may have made it in between, which is as good.
        if code and error is not TopicAlreadyExistsError:
            raise error(f"{name}: {message[0] if message else ''}")


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
            raise await client.unreachable(self._settings, cause) from cause
        return self._client

    async def __aexit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        await self._client.close()
        if isinstance(error, client.KAFKA_FAILURES):
            raise await client.unreachable(self._settings, error) from error
