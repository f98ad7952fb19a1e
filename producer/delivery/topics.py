"""The cluster's topics: looking at them, and making them what they should be."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.admin import (
    AlterConfigsRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DescribeConfigsRequest,
)
from aiokafka.protocol.metadata import MetadataRequest

from producer.delivery import client, topic_plan
from producer.delivery.topic_plan import AddPartitions, Change, Create, Found, SetConfigs, Topic
from producer.errors import MOST_TOPICS, StartRefused, TopicsMissing
from producer.kafka import spread
from producer.settings import Settings, variable
from producer.strangers import shown

REQUEST_MILLISECONDS = 15_000
SET_ON_TOPIC = 1
"""Kafka's config source DYNAMIC_TOPIC_CONFIG: set on the topic itself."""


def wanted(settings: Settings) -> tuple[Topic, ...]:
    """Every topic as it should be."""
    shape = topic_plan.Shape(
        partitions=settings.topic_partitions,
        replication_factor=settings.topic_replication_factor,
        event_retention_days=settings.topic_retention_days,
        dead_letter_retention_days=settings.dead_letter_retention_days,
        slots=settings.assignment_slots if settings.assignments_file is None else None,
        left_out=frozenset(settings.topic_configs_left_out),
    )
    return topic_plan.wanted(settings.topic_prefix, shape)


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


async def partition_counts(settings: Settings, *, some_missing: bool = False) -> dict[str, int]:
    """How many partitions each of our topics has. Raises StartRefused, naming what is not ours to use, or is missing
    unless that may be."""
    names = topic_plan.names(settings.topic_prefix)
    counts = await counts_of(settings, names)
    missing = sorted(set(names) - counts.keys())
    if missing and not some_missing:
        raise TopicsMissing(missing)
    return counts


async def counts_of(settings: Settings, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions those of these topics have that there are. Raises StartRefused."""
    async with _Admin(settings) as admin:
        return await _counts(admin, topics)


async def configs_in_force(settings: Settings, topics: Sequence[str]) -> dict[str, dict[str, str]]:
    """The whole configuration of each of these topics, wherever it was set. Raises StartRefused."""
    async with _Admin(settings) as admin:
        return await _configs(admin, topics, only_set=False)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_TOPICS} more" if len(names) > MOST_TOPICS else ""
    return ", ".join(names[:MOST_TOPICS]) + more


async def _seen(admin: AIOKafkaClient, settings: Settings) -> None:
    """Wait until nothing is left to change: brokers learn of a change one after the other."""
    clock = asyncio.get_running_loop().time
    give_up = clock() + spread.SPREAD_SECONDS
    while left := await _plan(admin, settings):
        if clock() > give_up:
            raise StartRefused("\n".join(f"Kafka said yes and did not {change}" for change in left))
        await asyncio.sleep(spread.STEP_SECONDS)


async def _plan(admin: AIOKafkaClient, settings: Settings) -> list[Change]:
    topics = wanted(settings)
    counts = await _counts(admin, [topic.name for topic in topics])
    configs = await _configs(admin, list(counts))
    return topic_plan.plan(topics, {name: Found(count, configs[name]) for name, count in counts.items()})


async def _counts(admin: AIOKafkaClient, topics: Iterable[str]) -> dict[str, int]:
    """Partitions of those topics that there are. Raises StartRefused where Kafka does not let us look."""
    names = list(topics)

    async def ask(broker: int) -> list[tuple[str, int, int]]:
        answer = await admin.send(broker, MetadataRequest(names))
        return sorted((name, code, len(partitions)) for code, name, _, partitions, *_ in answer.topics)

    described = await spread.agreed(admin, ask, alike=lambda said: [(name, count) for name, _, count in said])
    refused = [name for name, code, _ in described if for_code(code) is TopicAuthorizationFailedError]
    if refused:
        raise StartRefused(f"topics may not be used: {_listed(refused)}; grant what `producer topics acls` lists")
    return {name: count for name, _, count in described if count}


async def _configs(admin: AIOKafkaClient, topics: Sequence[str], *, only_set: bool = True) -> dict[str, dict[str, str]]:
    """What is set on each topic itself; or all that holds for it."""
    if not topics:
        return {}

    async def ask(broker: int) -> dict[str, list[tuple[str, str, bool]]]:
        request = DescribeConfigsRequest([(ConfigResourceType.TOPIC, name, None) for name in topics])
        found: dict[str, list[tuple[str, str, bool]]] = {name: [] for name in topics}
        for code, message, _, name, entries in (await admin.send(broker, request)).resources:
            if code:
                raise for_code(code)(message)
            found[name] = [(key, value, source == SET_ON_TOPIC) for key, value, _, source, *_ in entries]
        return found

    # What was not set on a topic may differ from broker to broker for good.
    found = await spread.agreed(admin, ask, alike=lambda said: _chosen(said, only_set=True))
    return _chosen(found, only_set=only_set)


def _chosen(found: Mapping[str, list[tuple[str, str, bool]]], *, only_set: bool) -> dict[str, dict[str, str]]:
    return {
        name: {key: value for key, value, is_set in entries if is_set or not only_set}
        for name, entries in found.items()
    }


async def _create(admin: AIOKafkaClient, topics: Sequence[Topic]) -> None:
    """Create topics by one request: a cluster needs as long for fifty as for one."""
    if not topics:
        return
    new: list[Any] = [
        (topic.name, topic.partitions, topic.replication_factor, [], list(topic.configs.items())) for topic in topics
    ]
    request = CreateTopicsRequest(new, REQUEST_MILLISECONDS, False)

    async def create() -> None:
        _refuse_codes((await admin.send(spread.controller(admin), request)).topic_errors)

    try:
        await spread.patiently(admin, create)
    except InvalidReplicationFactorError as cause:
        raise _too_many_replicas(topics[0].replication_factor, len(admin.cluster.brokers()), cause) from cause
    except KafkaError as cause:
        raise StartRefused(f"Kafka refused to create topics: {shown(str(cause), most=500)}") from cause


def _too_many_replicas(wanted: int, brokers: int, cause: KafkaError) -> StartRefused:
    setting = f"{variable('topic_replication_factor')}={wanted}"
    if wanted <= brokers:  # some of them are not there just now, or the cluster has a rule of its own
        return StartRefused(f"Kafka refuses {setting}: {shown(str(cause), most=500)}")
    found = "one broker" if brokers == 1 else f"{brokers} brokers"
    return StartRefused(f"{setting} is more than Kafka has, which is {found}: set it to {brokers}, or add brokers")


async def _do(admin: AIOKafkaClient, change: Change) -> None:
    async def make() -> None:
        match change:
            case Create():
                pass  # all at once, before
            case AddPartitions(name, _, after):
                more = CreatePartitionsRequest([(name, (after, None))], REQUEST_MILLISECONDS, False)
                _refuse_codes((await admin.send(spread.controller(admin), more)).topic_errors)
            case SetConfigs(name, changed, before):
                # This request replaces all that is set on the topic, so what others set goes along.
                whole = {**before, **changed}
                alter = AlterConfigsRequest([(ConfigResourceType.TOPIC, name, list(whole.items()))])
                answer = await admin.send(spread.controller(admin), alter)
                _refuse_codes((name, code, message) for code, message, *_ in answer.resources)

    try:
        await spread.patiently(admin, make)
    except KafkaError as cause:
        raise StartRefused(f"Kafka refused to {change}: {shown(str(cause), most=500)}") from cause


def _refuse_codes(answers: Iterable[tuple[Any, ...]]) -> None:
    for name, code, *message in answers:
        error = for_code(code)
        # Somebody else may have made it in between, which is as good.
        if code and error is not TopicAlreadyExistsError:
            raise error(f"{name}: {message[0] if message else ''}")


class _Admin:
    """A client for administration whose failures are ours."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = AIOKafkaClient(**client.options(settings), request_timeout_ms=REQUEST_MILLISECONDS)

    async def __aenter__(self) -> AIOKafkaClient:
        try:
            await self._client.bootstrap()
        except client.KAFKA_FAILURES as cause:
            await client.closed(self._client.close())
            raise await client.unreachable(self._settings, cause) from cause
        except BaseException:
            await client.closed(self._client.close())
            raise
        return self._client

    async def __aexit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        await client.closed(self._client.close())
        if isinstance(error, client.KAFKA_FAILURES):
            raise await client.unreachable(self._settings, error) from error
