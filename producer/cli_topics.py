"""`producer topics`: what they should be, what would change, and what a worker may do with them."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer
import yaml

from producer import terminal
from producer.configured import KAFKA, configured
from producer.delivery import acls, declared
from producer.delivery import topics as kafka_topics
from producer.delivery.topic_plan import AddPartitions, Change, Create, SetConfigs
from producer.errors import StartRefused

topics = typer.Typer(help="The topics that the service writes.", no_args_is_help=True)

Declared = Literal["strimzi", "terraform"]
Cluster = Annotated[str, typer.Option(help="Of Strimzi: the name of the Kafka cluster.")]


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


@topics.command()
def export(
    form: Annotated[Declared, typer.Option("--as", help="KafkaTopics in YAML, or resources in Terraform's JSON.")],
    cluster: Cluster = "kafka",
) -> None:
    """Print every topic as it should be, for what makes topics where `apply` may not. Asks no Kafka."""
    wanted = kafka_topics.wanted(configured())
    if form == "terraform":
        terminal.document(declared.terraform_topics(wanted))
    else:
        _say_objects(*declared.strimzi_topics(wanted, cluster=cluster))


@topics.command("acls")
def list_acls(
    principal: Annotated[str, typer.Option(help="Who is granted them.")] = "User:tiktok-live-producer",
    role: Annotated[acls.Role, typer.Option(help="What it does: a worker, or one of our commands.")] = "worker",
    form: Annotated[
        Declared | None, typer.Option("--as", help="Print a KafkaUser in YAML, or resources in Terraform's JSON.")
    ] = None,
    cluster: Cluster = "kafka",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document: a list of the grants.")] = False,
) -> None:
    """Print the ACLs that a worker needs and no more, as commands of Kafka's kafka-acls.sh."""
    if as_json and form is not None:
        raise StartRefused("--json and --as are two ways to print the same: not both at a time")
    is_shell = form is None and not as_json
    chosen = configured(KAFKA) if is_shell else configured()  # the tool's commands name the servers
    grants = acls.needed(role, chosen.topic_prefix, shared_list=chosen.assignments_file is None)
    if as_json:
        terminal.document([asdict(grant) for grant in grants])
    elif form == "terraform":
        terminal.document(declared.terraform_acls(grants, principal=principal))
    elif form == "strimzi":
        _say_objects(declared.strimzi_user(grants, principal=principal, cluster=cluster))
    else:
        commands = acls.commands(grants, principal=principal, bootstrap_servers=chosen.kafka_bootstrap_servers)
        for line in commands.split("\n"):
            terminal.say(line)


def _say_objects(*objects: Mapping[str, Any]) -> None:
    for line in yaml.safe_dump_all(objects, sort_keys=False, explicit_start=True).splitlines():
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
