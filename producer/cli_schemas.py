"""`producer schemas`: what the records are written with, and how it stands with the registry."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer

from producer import terminal
from producer.configured import configured
from producer.delivery import registry, topic_plan
from producer.delivery.registry import Registered, Registry, Standing
from producer.errors import StartRefused
from producer.events import reference
from producer.events import schemas as avro

schemas = typer.Typer(help="The schemas that the records are written with.", no_args_is_help=True)

AsJSON = Annotated[
    bool, typer.Option("--json", help="Print one JSON document: a list of subjects and how each stands.")
]
Answer = TypeVar("Answer")
Ask = Callable[[avro.Schema, str], Awaitable[Answer]]


@schemas.command("list")
def show() -> None:
    """List every event: its name, record and CRC-64-AVRO fingerprint."""
    width = max(map(len, avro.events()))
    for event, schema in avro.events().items():
        terminal.say(f"{event:<{width}}  {schema.fingerprint.hex()}  {schema.record}")


@schemas.command()
def docs() -> None:
    """Print the reference of all topics, records and fields (Markdown)."""
    for line in reference.page(dead_letter_topic=topic_plan.dead_letter_topic(reference.PREFIX)).splitlines():
        terminal.say(line)


@schemas.command()
def check(as_json: AsJSON = False) -> None:
    """Compare every schema with the registry and change nothing; exit status 1 where one is absent or incompatible."""
    standings = _with_registry(lambda there: there.check)
    if as_json:
        terminal.document([asdict(standing) for standing in standings])
    else:
        for standing in standings:
            terminal.say(str(standing))
    if any(standing.state in ("absent", "incompatible") for standing in standings):
        raise SystemExit(1)


@schemas.command()
def diff(as_json: AsJSON = False) -> None:
    """Print what differs from the registry's latest versions, field by field; exit status 1 where something does."""
    differing = [standing for standing in _with_registry(lambda there: there.check) if standing.state != "registered"]
    if as_json:
        terminal.document([asdict(standing) for standing in differing])
    else:
        _say_differences(differing)
    if differing:
        raise SystemExit(1)


@schemas.command()
def register(
    set_compatibility: Annotated[
        bool,
        typer.Option("--set-compatibility", help="Give FULL_TRANSITIVE to subjects that have a rule of their own."),
    ] = False,
) -> None:
    """Register every schema that is not registered yet, under its subject.

    A subject without a compatibility of its own is given FULL_TRANSITIVE first; any other keeps its own.
    """
    forbidden: list[Registered] = []

    def ask(there: Registry) -> Ask[None]:
        async def one(schema: avro.Schema, topic: str) -> None:
            registered = await there.register(schema, topic, set_compatibility=set_compatibility)
            terminal.say(str(registered))
            if registered.forbidden:
                forbidden.append(registered)

        return one

    _with_registry(ask)
    if forbidden:
        terminal.complain(
            f"the registry lets nobody set FULL_TRANSITIVE ({forbidden[0].forbidden}): its own rule holds for "
            f"{len(forbidden)} new subjects"
        )


def _say_differences(differing: Iterable[Standing]) -> None:
    for standing in differing:
        terminal.say(_heading(standing))
        for difference in standing.differences:
            terminal.say(f"  {difference}")


def _heading(standing: Standing) -> str:
    if standing.state == "absent":
        return f"{standing.subject}: nothing is registered"
    version = "the latest version" if standing.version is None else f"version {standing.version}"
    return f"{standing.subject}: {version}, {standing.state} under {standing.rule}"


def _with_registry(ask: Callable[[Registry], Ask[Answer]]) -> list[Answer]:
    """Ask the registry of the settings about every schema and its topic."""
    chosen = configured()
    url = chosen.schema_registry_url
    if url is None:
        raise StartRefused("PRODUCER_SCHEMA_REGISTRY_URL is not set: there is no registry to ask")

    async def main() -> list[Answer]:
        async with Registry(url, registry.access(chosen)) as there:
            return await there.each(avro.events().values(), chosen.topic_prefix, ask(there))

    return asyncio.run(main())
