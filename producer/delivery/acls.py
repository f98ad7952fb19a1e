"""What each part of the service may do in Kafka, and nothing beyond; pure.

Operations imply others: who may Read or Write a topic may Describe it, and who may Write any topic may be an idempotent
producer (KIP-679), so IdempotentWrite on the cluster is not asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from producer.delivery import topic_plan

Role = Literal["worker", "topics", "assign", "poke", "status", "watch", "dlq"]
ROLES: tuple[Role, ...] = ("worker", "topics", "assign", "poke", "status", "watch", "dlq")


@dataclass(frozen=True, slots=True)
class Grant:
    """Operations on resources that are named in full: a prefix would let a worker write the list of streamers."""

    resource: Literal["topic", "group"]
    names: tuple[str, ...]
    operations: tuple[str, ...]


def needed(role: Role, prefix: str, *, shared_list: bool) -> tuple[Grant, ...]:
    """What a role needs; `shared_list` says whether the list of streamers is a topic."""
    records = topic_plan.names(prefix)
    letters = (topic_plan.dead_letter_topic(prefix),)
    the_list, statuses = (topic_plan.assignments_topic(prefix),), (topic_plan.status_topic(prefix),)
    match role:
        case "worker" if not shared_list:
            return (Grant("topic", records, ("Write",)),)
        case "worker":
            return (
                Grant("topic", records, ("Write",)),
                Grant("topic", the_list, ("Read",)),
                Grant("topic", statuses, ("Read", "Write")),
                Grant("group", (topic_plan.workers_group(prefix),), ("Read",)),
            )
        case "topics":
            every = (*records, *the_list, *statuses) if shared_list else records
            return (Grant("topic", every, ("Create", "Alter", "Describe", "DescribeConfigs", "AlterConfigs")),)
        case "assign":
            return (Grant("topic", the_list, ("Read", "Write")),)
        case "poke":
            return (Grant("topic", the_list, ("Read",)), Grant("topic", statuses, ("Write",)))
        case "status":
            return (Grant("topic", (*the_list, *statuses), ("Read",)),)
        case "watch":
            return (Grant("topic", (*the_list, *statuses), ("Read",)), Grant("topic", records, ("Describe",)))
        case "dlq":
            return (Grant("topic", letters, ("Read",)), Grant("topic", records, ("Write",)))


def commands(grants: Iterable[Grant], *, principal: str, bootstrap_servers: str) -> str:
    """The grants as Kafka's own tool takes them, one command for each, for a shell."""
    return "\n".join(_command(grant, principal, bootstrap_servers) for grant in grants)


def _command(grant: Grant, principal: str, bootstrap_servers: str) -> str:
    lines = [
        f"kafka-acls.sh --bootstrap-server {bootstrap_servers} --add --allow-principal '{principal}'",
        "  " + " ".join(f"--operation {operation}" for operation in grant.operations),
        *(f"  --{grant.resource} {name}" for name in grant.names),
    ]
    return " \\\n".join(lines)
