"""`producer spool`: what Kafka had not taken, as it lies on this machine's disk."""

import asyncio
import base64
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from producer import __version__
from producer.configured import KAFKA, configured
from producer.delivery import assembly, spool_files, topic_plan
from producer.delivery.ledger import Ledger
from producer.delivery.spool_format import Spooled, from_row
from producer.delivery.spool_repair import readable
from producer.errors import ProducerError, StartRefused
from producer.observability.metrics import Metrics
from producer.settings import Settings
from producer.terminal import complain, document, say

spool = typer.Typer(help="Records on this machine's disk that Kafka had not taken.", no_args_is_help=True)

GRACE_SECONDS = 7 * 24 * 3600.0
"""No bound to speak of: a drain ends when everything is sent, or nothing is taken any more."""

AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document: a list of the files.")]
Topic = Annotated[str | None, typer.Option(help="Only this topic.")]


@spool.command()
def stat(as_json: AsJSON = False) -> None:
    """Show each spool file: who has it, and what is in it. Changes nothing."""
    files = [spool_files.describe(path, now_ms=time.time() * 1000) for path in _files(configured())]
    if as_json:
        document(files)
        return
    for file in files:
        oldest = f", the oldest {file['oldest_seconds']:.0f} s old" if file["oldest_seconds"] is not None else ""
        state = "in use" if file["in_use"] else "free"
        said = file["problem"] or f"{file['records']} records, {file['bytes']} bytes{oldest}"
        say(f"{file['path']}  {state}  {said}")
        _say_topics(file["topics"])
    if not files:
        say("there is no spool file")


@spool.command()
def export(topic: Topic = None) -> None:
    """Print the records of all files as JSON lines, oldest first; key, header values and value are base64.

    Changes nothing, works beside a worker, and gives what is readable of a damaged file.
    """
    refused = 0
    for path in _files(configured()):
        if problem := spool_files.unreadable(path):
            complain(f"{path} {problem}: left alone")
            refused += 1
            continue
        for row in readable(path):
            spooled = from_row(row)
            if spooled is not None and topic in (None, spooled.entry.record.topic):
                document(_document(spooled), indent=None)
    if refused:
        raise ProducerError(f"{refused} files were left alone")


@spool.command()
def drain() -> None:
    """Publish what is in the files that no worker has, in order; exit status 1 where something is left."""
    settings = configured(KAFKA)
    given: dict[str, int] = {}
    if any(file["records"] or file["problem"] for file in _free(settings)):
        given = asyncio.run(_drain(settings))
    left = refused = 0
    for file in _free(settings):
        if file["problem"]:
            complain(f"{file['path']} {file['problem']}: left alone")
            refused += 1
        elif file["records"] or file["path"] in given:
            say(f"{file['path']}: {given.get(file['path'], 0)} published, {file['records']} left")
            _say_topics(file["topics"])
            left += file["records"]
    if left:
        raise ProducerError(
            f"{left} records are left, and stay in the spool: their topics are not there, Kafka did not take them, or "
            "their file could not be used"
        )
    if refused:
        raise ProducerError(f"{refused} files were left alone")


async def _drain(settings: Settings) -> dict[str, int]:
    """Empty one file after the other, which is what leaving a publisher does; how many records each gave, by path."""
    metrics = Metrics(topics=topic_plan.names(settings.topic_prefix), version=__version__)
    publisher = await assembly.publisher(
        settings,
        Ledger(),
        metrics,
        worker="spool drain",
        spool=assembly.spool(settings, metrics),
        grace_seconds=GRACE_SECONDS,
        some_missing=True,
    )
    async with publisher:
        pass
    return {str(file.path): file.given for file in publisher.remains if file.given}


def _free(settings: Settings) -> list[dict[str, Any]]:
    described = (spool_files.describe(path, now_ms=time.time() * 1000) for path in _files(settings))
    return [file for file in described if not file["in_use"]]


def _files(settings: Settings) -> list[Path]:
    directory = settings.spool_directory
    if directory is None:
        raise StartRefused("PRODUCER_SPOOL_DIRECTORY is not set: there is no spool")
    if not directory.is_dir():
        raise StartRefused(f"PRODUCER_SPOOL_DIRECTORY={directory} is not a directory")
    if not os.access(directory, os.R_OK | os.X_OK):
        raise StartRefused(f"PRODUCER_SPOOL_DIRECTORY={directory} cannot be read by this user")
    return spool_files.paths(directory)


def _say_topics(topics: Mapping[str, int]) -> None:
    for topic, count in sorted(topics.items()):
        say(f"  {topic:<40} {count:>9}")


def _document(spooled: Spooled) -> dict[str, Any]:
    record = spooled.entry.record
    return {
        "topic": record.topic,
        "timestamp_ms": spooled.entry.timestamp_ms,
        "key": _base64(record.key),
        "headers": {name: _base64(value) for name, value in record.headers},
        "value": _base64(record.value),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
