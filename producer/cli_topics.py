"""`producer topics`: what they should be, what would change, and what a worker may do with them."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from producer import terminal
from producer.configured import KAFKA, configured
from producer.delivery import acls
from producer.delivery import topics as kafka_topics
from producer.delivery.topic_plan import AddPartitions, Change, Create, SetConfigs

topics = typer.Typer(help="The topics that the service writes.", no_args_is_help=True)


@topics.command()
def plan(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document: a list of the changes.")] = False,
    detailed: Annotated[
        bool,
        typer.Option("--detailed-exitcode", help="Exit status 0: nothing would change; 2: something; 1: an error."),
    ] = False,
) -> None:
    """Print what `apply` would change; nothing where the topics are as they should be."""
    changes = asyncio.run(kafka_topics.plan(configured(KAFKA)))
    if as_json:
        terminal.document([_document(change) for change in changes])
    else:
        for change in changes:
            terminal.say(str(change))
    if detailed and changes:
        raise SystemExit(terminal.WOULD_CHANGE)


@topics.command()
def apply() -> None:
    """Make the topics what they should be: create, add partitions, configure. Deletes and shrinks nothing."""
    for change in asyncio.run(kafka_topics.apply(configured(KAFKA))):
        terminal.say(str(change))


@topics.command("acls")
def list_acls(
    principal: Annotated[str, typer.Option(help="Who is granted them.")] = "User:tiktok-live-producer",
    role: Annotated[acls.Role, typer.Option(help="What it does: a worker, or one of our commands.")] = "worker",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document: a list of the grants.")] = False,
) -> None:
    """Print the ACLs that a worker needs and no more, as commands of Kafka's kafka-acls.sh."""
    chosen = configured() if as_json else configured(KAFKA)  # the tool's commands name the servers
    grants = acls.needed(role, chosen.topic_prefix, shared_list=chosen.assignments_file is None)
    if as_json:
        terminal.document([asdict(grant) for grant in grants])
        return
    for line in acls.commands(grants, principal=principal, bootstrap_servers=chosen.kafka_bootstrap_servers).split(
        "\n"
    ):
        terminal.say(line)


def _document(change: Change) -> Mapping[str, Any]:
    match change:
        case Create(topic):
            return {
                "change": "create",
                "topic": topic.name,
                "partitions": topic.partitions,
                "replication_factor": topic.replication_factor,
                "configs": dict(topic.configs),
            }
        case AddPartitions(name, before, after):
            return {"change": "add_partitions", "topic": name, "before": before, "after": after}
        case SetConfigs(name, changed, before):
            return {
                "change": "configure",
                "topic": name,
                "before": {key: before.get(key) for key in changed},
                "after": dict(changed),
            }
