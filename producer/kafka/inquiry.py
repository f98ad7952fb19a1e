"""What the brokers tell of themselves, of topics, groups and our rights, mostly by requests that aiokafka has not.

Rights come with Metadata (version 8) and DescribeGroups (version 3), KIP-430; the features that a cluster has agreed on
with ApiVersions (version 3), KIP-584.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from aiokafka import errors as kafka_errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response, ResponseHeader_v0
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.group import JoinGroupRequest
from aiokafka.protocol.types import (
    Array,
    Boolean,
    Bytes,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

from producer.kafka import spread

OPERATIONS = {
    3: "Read",
    4: "Write",
    5: "Create",
    6: "Delete",
    7: "Alter",
    8: "Describe",
    9: "ClusterAction",
    10: "DescribeConfigs",
    11: "AlterConfigs",
    12: "IdempotentWrite",
}
"""Kafka's AclOperation by its code; an answer has one bit for each."""

NOT_TOLD = -(2**31)
"""In place of those bits, from a server that speaks the protocol and keeps no such account."""

FINALIZED_FEATURES = 2
"""Their tag in the answer to ApiVersions."""
COORDINATOR_SECONDS = 10.0
"""How long a cluster may take to choose a group's coordinator: the first time it makes a topic for that."""
COORDINATOR_STEP_SECONDS = 0.2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TopicSeen:
    """A topic as the brokers have it."""

    partitions: int
    replicas: int
    """Of the partition that has the fewest."""
    operations: frozenset[str] | None
    """What we may do with it; None where the brokers do not say."""
    leaderless: tuple[int, ...]
    """Partitions that nobody leads just now."""


@dataclass(frozen=True, slots=True)
class ClusterSeen:
    """A cluster, and those of the topics asked for that there are."""

    cluster_id: str
    brokers: int
    topics: Mapping[str, TopicSeen]
    hidden: frozenset[str]
    """Topics of which we may not even know whether they are there."""


class Inquiry:
    """A client that only asks. Use it as an async context manager; whatever fails raises what aiokafka raises."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._client = AIOKafkaClient(**options, request_timeout_ms=15_000)

    async def __aenter__(self) -> Self:
        try:
            await self._client.bootstrap()
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def cluster(self, topics: Iterable[str] = ()) -> ClusterSeen:
        """Look at the cluster and at these topics, of which all brokers must have heard; none is made by asking."""
        names = list(topics)
        answer = await spread.agreed(
            self._client,
            lambda broker: self._ask(_Metadata(names), node=broker),
            alike=lambda said: sorted((name, len(partitions)) for _, name, _, partitions, _ in said.topics),
        )
        return ClusterSeen(
            cluster_id=answer.cluster_id or "",
            brokers=len(answer.brokers),
            topics={name: _topic(partitions, bits) for _, name, _, partitions, bits in answer.topics if partitions},
            hidden=frozenset(
                name
                for code, name, *_ in answer.topics
                if kafka_errors.for_code(code) is kafka_errors.TopicAuthorizationFailedError
            ),
        )

    async def group(self, name: str) -> frozenset[str] | None:
        """What we may do with a consumer group, whether there is one or not; None where the brokers do not say."""

        async def ask(coordinator: int) -> tuple[int, int]:
            answer = await self._ask(_DescribeGroups([name]), node=coordinator)
            [[code, *_, bits]] = answer.groups
            return code, bits

        error, bits = await self._coordinated(name, ask)
        if error is kafka_errors.GroupAuthorizationFailedError:
            return frozenset()
        if error is not kafka_errors.NoError:
            raise error(name)
        return operations(bits or 0)

    async def refuse_join(self, group: str, *, session_seconds: float, protocol: str) -> None:
        """Raise what a group's coordinator would refuse a new member for, without a new member.

        It is asked as by a member that it has never heard of: a coordinator looks at the session, and then at the
        protocol, before it says that there is no such member.
        """
        milliseconds = int(session_seconds * 1000)
        request = JoinGroupRequest(
            group, milliseconds, milliseconds, "not-a-member", None, "consumer", [(protocol, b"")]
        )

        async def ask(coordinator: int) -> tuple[int, None]:
            return (await self._ask(request, node=coordinator)).error_code, None

        error, _ = await self._coordinated(group, ask)
        if error not in (kafka_errors.NoError, kafka_errors.UnknownMemberIdError):
            raise error(group)

    async def features(self) -> dict[str, int]:
        """The features that the cluster has agreed on, each with its level."""
        answer = await self._ask(_ApiVersions())
        tagged: bytes | None = answer.tags.get(FINALIZED_FEATURES)
        if tagged is None:
            return {}
        return {name: level for name, level, *_ in _FEATURES.decode(io.BytesIO(tagged))}

    async def _coordinated(self, group: str, ask: Callable[[int], Awaitable[tuple[int, T]]]) -> tuple[Any, T | None]:
        """What a group's coordinator answers, and the error that it names, once it names none that passes."""
        async with asyncio.timeout(COORDINATOR_SECONDS):
            while True:
                found = await self._ask(FindCoordinatorRequest(group, 0))
                code, answer = found.error_code, None
                if not code:
                    code, answer = await ask(found.coordinator_id)
                error = kafka_errors.for_code(code)
                if not error.retriable:
                    return error, answer
                await asyncio.sleep(COORDINATOR_STEP_SECONDS)

    async def _ask(self, request: Any, *, node: int | None = None) -> Any:
        return await self._client.send(self._client.get_random_node() if node is None else node, request)


def _topic(partitions: list[tuple[Any, ...]], bits: int) -> TopicSeen:
    return TopicSeen(
        partitions=len(partitions),
        replicas=min(len(replicas) for _, _, _, _, replicas, *_ in partitions),
        operations=operations(bits),
        leaderless=tuple(sorted(number for _, number, leader, *_ in partitions if leader < 0)),
    )


def operations(bits: int) -> frozenset[str] | None:
    """The operations that an answer's bits stand for; None where the answer has none."""
    if bits == NOT_TOLD:
        return None
    return frozenset(name for code, name in OPERATIONS.items() if bits & 1 << code)


class _MetadataResponse(Response):  # type: ignore[misc]  # the base has no types
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", String()), ("port", Int32), ("rack", String()))),
        ("cluster_id", String()),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String()),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class MetadataStruct(RequestStruct):  # type: ignore[misc]  # the base has no types
    """The request for metadata in version 8, with what we may do with each topic."""

    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", Array(String())),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _Metadata(Request[MetadataStruct]):  # type: ignore[misc]  # the base has no types
    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, struct: type[MetadataStruct]) -> MetadataStruct:
        return struct(self._topics, False, False, True)


class _DescribeGroupsResponse(Response):  # type: ignore[misc]  # the base has no types
    API_KEY = 15
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            Array(
                ("error_code", Int16),
                ("group", String()),
                ("state", String()),
                ("protocol_type", String()),
                ("protocol", String()),
                (
                    "members",
                    Array(
                        ("member_id", String()),
                        ("client_id", String()),
                        ("client_host", String()),
                        ("member_metadata", Bytes),
                        ("member_assignment", Bytes),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
    )


class _DescribeGroupsStruct(RequestStruct):  # type: ignore[misc]  # the base has no types
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = _DescribeGroupsResponse
    SCHEMA = Schema(("groups", Array(String())), ("include_authorized_operations", Boolean))


class _DescribeGroups(Request[_DescribeGroupsStruct]):  # type: ignore[misc]  # the base has no types
    """aiokafka has this version, and reads its answer as that of version 2, without the operations."""

    API_KEY = 15

    def __init__(self, groups: list[str]) -> None:
        self._groups = groups

    def build(self, struct: type[_DescribeGroupsStruct]) -> _DescribeGroupsStruct:
        return struct(self._groups, True)


_FEATURES = CompactArray(("name", CompactString()), ("max", Int16), ("min", Int16), ("tags", TaggedFields))


class _ApiVersionsResponse(Response):  # type: ignore[misc]  # the base has no types
    API_KEY = 18
    API_VERSION = 3
    SCHEMA = Schema(
        ("error_code", Int16),
        ("api_versions", CompactArray(("api_key", Int16), ("min", Int16), ("max", Int16), ("tags", TaggedFields))),
        ("throttle_time_ms", Int32),
        ("tags", TaggedFields),
    )


class _ApiVersionsStruct(RequestStruct):  # type: ignore[misc]  # the base has no types
    FLEXIBLE_VERSION = True
    API_KEY = 18
    API_VERSION = 3
    RESPONSE_TYPE = _ApiVersionsResponse
    SCHEMA = Schema(("software_name", CompactString()), ("software_version", CompactString()), ("tags", TaggedFields))

    def parse_response_header(self, read_buffer: Any) -> Any:
        """The one answer whose header never has tags (KIP-511): who asks may not know the broker's versions yet."""
        return ResponseHeader_v0.decode(read_buffer)


class _ApiVersions(Request[_ApiVersionsStruct]):  # type: ignore[misc]  # the base has no types
    API_KEY = 18

    def build(self, struct: type[_ApiVersionsStruct]) -> _ApiVersionsStruct:
        return struct("tiktok-live-producer", "0", {})
