"""What topics should be like, what they are like, and the difference; pure.

The difference never deletes a topic, never takes partitions away, and touches no configuration that is not ours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from producer.events import schemas

DAY_MS = 24 * 60 * 60 * 1000
EVENT_RETENTION_MS = 30 * DAY_MS
DEAD_LETTER_RETENTION_MS = 14 * DAY_MS
"""Long enough to mend what refused them, and to send them through it again."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be."""

    name: str
    partitions: int
    replication_factor: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is; `configs` are those that were set on the topic itself."""

    partitions: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Create:
    """Make a topic."""

    topic: Topic

    def __str__(self) -> str:
        configs = ", ".join(f"{name}={value}" for name, value in sorted(self.topic.configs.items()))
        return (
            f"create {self.topic.name}: {self.topic.partitions} partitions, "
            f"replication factor {self.topic.replication_factor}, {configs}"
        )


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """Give a topic more partitions. Keys move: a streamer's order holds before the change and after it, not across."""

    name: str
    before: int
    after: int

    def __str__(self) -> str:
        return f"add partitions to {self.name}: {self.before} to {self.after} (streamers change partition)"


@dataclass(frozen=True, slots=True)
class SetConfigs:
    """Set configurations of a topic; those that others set on it are kept."""

    name: str
    changed: Mapping[str, str]
    before: Mapping[str, str]

    def __str__(self) -> str:
        changes = (
            f"{key}={value} (was {self.before.get(key, 'default')})" for key, value in sorted(self.changed.items())
        )
        return f"configure {self.name}: {', '.join(changes)}"


Change = Create | AddPartitions | SetConfigs


def dead_letter_topic(prefix: str) -> str:
    """The topic of what could not be mapped or encoded."""
    return f"{prefix}.dlq.v1"


def names(prefix: str) -> tuple[str, ...]:
    """Every topic that the service writes."""
    return tuple(topic.name for topic in wanted(prefix, partitions=1, replication_factor=1))


def wanted(prefix: str, *, partitions: int, replication_factor: int) -> tuple[Topic, ...]:
    """Every topic as it should be. One replica may be missing where there are three."""
    in_sync = {"min.insync.replicas": str(max(1, replication_factor - 1))}
    retention = {schema.topic(prefix): EVENT_RETENTION_MS for schema in schemas.events().values()}
    retention[dead_letter_topic(prefix)] = DEAD_LETTER_RETENTION_MS
    return tuple(
        Topic(
            name,
            partitions,
            replication_factor,
            {"cleanup.policy": "delete", "compression.type": "producer", "retention.ms": str(kept)} | in_sync,
        )
        for name, kept in retention.items()
    )


def plan(topics: Iterable[Topic], found: Mapping[str, Found]) -> list[Change]:
    """The changes that make topics what they should be."""
    changes: list[Change] = []
    for topic in topics:
        there = found.get(topic.name)
        if there is None:
            changes.append(Create(topic))
            continue
        if there.partitions < topic.partitions:
            changes.append(AddPartitions(topic.name, there.partitions, topic.partitions))
        changed = {key: value for key, value in topic.configs.items() if there.configs.get(key) != value}
        if changed:
            changes.append(SetConfigs(topic.name, changed, there.configs))
    return changes
