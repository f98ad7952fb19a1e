"""How every command begins and ends: its streams, Ctrl-C, a closed pipe, one line for each thing that is wrong."""

import io
import os
import signal
import sys

import typer
from pydantic import ValidationError
from typer import rich_utils

from producer import terminal, wording
from producer.errors import ProducerError

REFUSED = 1
INTERRUPTED = 128 + signal.SIGINT
UNREAD = 128 + signal.SIGPIPE


def carry_out(application: typer.Typer) -> None:
    """Do what the command line says, and exit.

    The status is 0; 1 where it was refused, or the command itself was, with a line for each problem; 130 after Ctrl-C;
    141 where nobody read on. Those two say nothing.
    """
    try:
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            status = _status(application)
            signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))  # nothing is left to be undone
        except KeyboardInterrupt:
            status = INTERRUPTED
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(UNREAD)  # Python would try to write the rest
    raise SystemExit(status)


def complain(error: ProducerError) -> None:
    """Say what is wrong, a line for each problem."""
    for line in str(error).split("\n"):
        terminal.complain(f"producer: {line}")


def _status(application: typer.Typer) -> object:
    _open_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a streamer's name must not be too much for a terminal
    if not sys.stdout.isatty():
        rich_utils.FORCE_TERMINAL = False  # which FORCE_COLOR and GITHUB_ACTIONS set, for pipes too
    try:
        return application(prog_name="producer", standalone_mode=False)
    except SystemExit as end:
        # Typer makes it an exit status like another.
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        return end.code
    except ProducerError as error:
        complain(error)
    except typer.TyperException as mistake:
        if said := _mistake(mistake):
            terminal.complain(f"producer: {said}")
    return REFUSED


def _mistake(mistake: typer.TyperException) -> str:
    """What is wrong with the command line, in one line; empty where its help was shown in place of it."""
    if isinstance(mistake.__cause__, ValidationError):
        mistake.message = wording.in_words(mistake.__cause__.errors()[0], {})
    said = " ".join(mistake.format_message().split()).rstrip(".")
    context: typer.Context | None = getattr(mistake, "ctx", None)
    return f"{said}; `{context.command_path} --help` says what there is" if said and context is not None else said


def _open_streams() -> None:
    """Have the standard streams that we were started without go nowhere; or a file of ours would take their place."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # is given the lowest number that is free, which is this one
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
