"""What topics should be like, what they are like, and the difference; pure.

The difference never deletes a topic, never takes partitions away, and touches no configuration that is not ours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from producer.events import schemas

TABLES = frozenset({"streamer"})
"""Events that say what holds of their key, and not what happened."""
DAY_MS = 24 * 60 * 60 * 1000
TABLE_SEGMENT_MS = DAY_MS
"""A compacted topic is compacted up to its newest segment, so a day's edits are read twice at the most."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be."""

    name: str
    partitions: int
    replication_factor: int
    configs: Mapping[str, str]
    grows: bool = True
    """Whether it may be given more partitions."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How topics of ours are laid out."""

    partitions: int
    """Of each topic of records."""
    replication_factor: int
    event_retention_days: float
    dead_letter_retention_days: float
    slots: int | None
    """Partitions of the assignments topic; None where the list is a file."""
    left_out: frozenset[str] = frozenset()
    """Configurations that are the cluster's own matter."""


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


def assignments_topic(prefix: str) -> str:
    """The shared list of streamers; its partitions are the slots."""
    return f"{prefix}.assignments"


def status_topic(prefix: str) -> str:
    """Who streams whom."""
    return f"{prefix}.assignment-status"


def workers_group(prefix: str) -> str:
    """The consumer group whose members the workers are."""
    return f"{prefix}.workers"


def names(prefix: str) -> tuple[str, ...]:
    """Every topic that records are published to."""
    return (*(schema.topic(prefix) for schema in schemas.events().values()), dead_letter_topic(prefix))


def wanted(prefix: str, shape: Shape) -> tuple[Topic, ...]:
    """Every topic as it should be. One replica may be missing where there are three."""

    def laid_out(name: str, partitions: int, configs: Mapping[str, str], *, grows: bool = True) -> Topic:
        common = {
            "compression.type": "producer",
            "min.insync.replicas": str(max(1, shape.replication_factor - 1)),
        }
        ours = {key: value for key, value in {**configs, **common}.items() if key not in shape.left_out}
        return Topic(name, partitions, shape.replication_factor, ours, grows)

    def kept(name: str, days: float) -> Topic:
        configs = {"cleanup.policy": "delete", "retention.ms": str(int(days * DAY_MS))}
        return laid_out(name, shape.partitions, configs)

    def compacted(name: str, partitions: int, *, grows: bool) -> Topic:
        configs = {"cleanup.policy": "compact", "segment.ms": str(TABLE_SEGMENT_MS)}
        return laid_out(name, partitions, configs, grows=grows)

    events = [
        compacted(schema.topic(prefix), shape.partitions, grows=True)
        if schema.event in TABLES
        else kept(schema.topic(prefix), shape.event_retention_days)
        for schema in schemas.events().values()
    ]
    letters = kept(dead_letter_topic(prefix), shape.dead_letter_retention_days)
    if shape.slots is None:
        return (*events, letters)
    # With more slots nearly every streamer would change its slot, and with it its worker, at once.
    shared_list = compacted(assignments_topic(prefix), shape.slots, grows=False)
    return (*events, letters, shared_list, compacted(status_topic(prefix), shape.partitions, grows=True))


def plan(topics: Iterable[Topic], found: Mapping[str, Found]) -> list[Change]:
    """The changes that make topics what they should be."""
    changes: list[Change] = []
    for topic in topics:
        there = found.get(topic.name)
        if there is None:
            changes.append(Create(topic))
            continue
        if there.partitions < topic.partitions and topic.grows:
            changes.append(AddPartitions(topic.name, there.partitions, topic.partitions))
        changed = {key: value for key, value in topic.configs.items() if there.configs.get(key) != value}
        if changed:
            changes.append(SetConfigs(topic.name, changed, there.configs))
    return changes
