"""`producer local`: Kafka, a schema registry and the simulator on this machine, to run the other commands against."""

import asyncio
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from producer import terminal
from producer.errors import StartRefused

local = typer.Typer(help="What the service needs around it, on this machine.", no_args_is_help=True)


@local.command()
def up(
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep what Kafka and the registry store, and all logs, in this folder for next time."),
    ] = None,
    rooms: Annotated[int, typer.Option(min=1, help="How many rooms the simulator has.")] = 20,
    rate: Annotated[float, typer.Option(min=0.1, help="Events per second of all rooms together.")] = 100.0,
) -> None:
    """Run Kafka, a schema registry and the simulator until Ctrl-C or SIGTERM.

    Standard output has the exports that the other commands need, once all is ready; all else is on standard error.
    """
    with installed():
        from producer.local import stack
        from producer.local.processes import LocalFailure

    try:
        asyncio.run(stack.up(keep=keep, rooms=rooms, rate=rate, announce=terminal.complain, export=_export))
    except LocalFailure as failure:
        raise StartRefused(failure.line) from failure


@contextmanager
def installed() -> Iterator[None]:
    """Say how the packages for Kafka on this machine are installed, where an import lacks them. Raises StartRefused."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise StartRefused(f"{missing.name} is not installed: pip install 'tiktok-live-producer[local]'") from missing


def _export(environ: Mapping[str, str]) -> None:
    for name, value in environ.items():
        terminal.say(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()  # a file or a pipe is not read by line
