"""`producer spool`: what Kafka had not taken, as it lies on this machine's disk."""

import asyncio
import base64
import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from producer import __version__
from producer.configured import configured
from producer.delivery import assembly, spool_files, topic_plan
from producer.delivery.ledger import Ledger
from producer.delivery.spool_format import Spooled, from_row
from producer.delivery.spool_repair import readable
from producer.errors import StartRefused
from producer.observability.metrics import Metrics
from producer.settings import Settings

spool = typer.Typer(help="Records on this machine's disk that Kafka had not taken.", no_args_is_help=True)

AsJSON = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Topic = Annotated[str | None, typer.Option(help="Only this topic.")]


@spool.command()
def stat(as_json: AsJSON = False) -> None:
    """Show each spool file: who has it, and what is in it. Changes nothing."""
    files = [
        spool_files.describe(path, now_ms=time.time() * 1000) for path in spool_files.paths(_directory(configured()))
    ]
    if as_json:
        sys.stdout.write(json.dumps(files, indent=2) + "\n")
        return
    for file in files:
        oldest = f", the oldest {file['oldest_seconds']:.0f} s old" if file["oldest_seconds"] is not None else ""
        state = "in use" if file["in_use"] else "free"
        said = file["problem"] or f"{file['records']} records, {file['bytes']} bytes{oldest}"
        sys.stdout.write(f"{file['path']}  {state}  {said}\n")
        for topic, count in sorted(file["topics"].items()):
            sys.stdout.write(f"  {topic:<40} {count:>9}\n")
    if not files:
        sys.stdout.write("there is no spool file\n")


@spool.command()
def export(topic: Topic = None) -> None:
    """Print the records of all files as JSON lines, oldest first; key, header values and value are base64.

    Changes nothing, works beside a worker, and gives what is readable of a damaged file.
    """
    for path in spool_files.paths(_directory(configured())):
        for row in readable(path):
            spooled = from_row(row)
            if spooled is not None and topic in (None, spooled.entry.record.topic):
                sys.stdout.write(json.dumps(_document(spooled)) + "\n")


@spool.command()
def drain() -> None:
    """Publish what is in the files that no worker has, in order; exit status 1 where something is left."""
    settings = configured()
    _directory(settings)
    left = asyncio.run(_drain(settings))
    if left:
        raise StartRefused(f"{left} records are left: Kafka did not take them within the grace; they stay in the spool")


async def _drain(settings: Settings) -> int:
    """Empty one file after the other; return what is left of the one that Kafka did not take."""
    while True:
        metrics = Metrics(topics=topic_plan.names(settings.topic_prefix), version=__version__)
        ledger = Ledger()
        opened = assembly.spool(settings, metrics)
        if opened is None or not opened.held_records:
            if opened is not None:
                opened.close()
            return 0
        path = opened.path
        publisher = await assembly.publisher(
            settings,
            ledger,
            metrics,
            worker="spool drain",
            spool=opened,
            grace_seconds=0.1,
        )
        async with publisher:
            await _until_empty(ledger, patience=settings.kafka_delivery_timeout_seconds)
        sys.stdout.write(f"{path}: {ledger.acknowledged + ledger.dead_lettered} published, {ledger.spooled} left\n")
        if ledger.spooled or not ledger.recovered:
            return ledger.spooled


async def _until_empty(ledger: Ledger, *, patience: float) -> None:
    """Wait until the spool is empty, or nothing has left it for so many seconds."""
    left, since = ledger.spooled, time.monotonic()
    while ledger.spooled and time.monotonic() < since + patience:
        await asyncio.sleep(0.1)
        if ledger.spooled != left:
            left, since = ledger.spooled, time.monotonic()


def _directory(settings: Settings) -> Path:
    directory = settings.spool_directory
    if directory is None:
        raise StartRefused("PRODUCER_SPOOL_DIRECTORY is not set: there is no spool")
    if not directory.is_dir():
        raise StartRefused(f"PRODUCER_SPOOL_DIRECTORY={directory} is not a directory")
    return directory


def _document(spooled: Spooled) -> dict[str, Any]:
    record = spooled.entry.record
    return {
        "topic": record.topic,
        "partition": spooled.entry.partition,
        "timestamp_ms": spooled.entry.timestamp_ms,
        "key": _base64(record.key),
        "headers": {name: _base64(value) for name, value in record.headers},
        "value": _base64(record.value),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
